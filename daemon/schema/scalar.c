#include "scalar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

bool field_has_minimum(const MrField *field) {
        return field->min != 0 || field->max != 0;
}

/* A row with only a minimum leaves max at 0, below it. */
bool field_has_maximum(const MrField *field) {
        return field->max > field->min || (field->max == field->min && field->max != 0);
}

static const char *wanted_text(MrType type) {
        switch (type) {
        case MR_TYPE_BOOL:
                return "must be a boolean";
        case MR_TYPE_INT:
                return "must be an integer";
        case MR_TYPE_NUMBER:
                return "must be a number";
        case MR_TYPE_BYTES:
                return "must be a quantity of bytes";
        case MR_TYPE_MILLI:
                return "must be a quantity of CPU";
        case MR_TYPE_OBJECT:
        case MR_TYPE_MAP:
                return "must be a map";
        case MR_TYPE_LIST:
        case MR_TYPE_STRINGS:
        case MR_TYPE_INTS:
                return "must be a list";
        default:
                return "must be a string";
        }
}

static const char *advice_text(MrType type, const MrTree *tree) {
        switch (type) {
        case MR_TYPE_BOOL:
                return "write true or false, without quotes";
        case MR_TYPE_INT:
                if (mr_tree_type(tree) == MR_TREE_REAL)
                        return "write a whole number of at most 18 digits";
                return "write a number, without quotes";
        case MR_TYPE_NUMBER:
                return "write a number, without quotes";
        case MR_TYPE_BYTES:
                return "write a size such as 512Mi or 10Gi";
        case MR_TYPE_MILLI:
                return "write an amount such as 500m or 2";
        case MR_TYPE_OBJECT:
        case MR_TYPE_MAP:
                return "write \"key: value\" lines below it, indented";
        case MR_TYPE_LIST:
        case MR_TYPE_STRINGS:
        case MR_TYPE_INTS:
                return "write each element on a line of its own, after \"- \"";
        default:
                return mr_tree_type(tree) == MR_TREE_MAP || mr_tree_type(tree) == MR_TREE_LIST
                               ? "write one value"
                               : "put it in quotes";
        }
}

/* ' ("9092x")', or nothing where there is nothing to show or where it must not be shown. */
static void describe_value(const MrField *field, const MrTree *tree, MrBuf *out) {
        _cleanup_buf_ MrBuf text = {};

        if (field->flags & MR_SECRET || !mr_tree_text(tree, &text))
                return;
        mr_buf_puts(out, " (");
        if (mr_tree_type(tree) == MR_TREE_STRING)
                mr_text_quote(mr_buf_text(&text), out);
        else
                mr_buf_puts(out, mr_buf_text(&text));
        mr_buf_putc(out, ')');
}

int scalar_mismatch(const MrField *field, MrType wanted, const MrTree *tree, MrError *err) {
        _cleanup_buf_ MrBuf value = {};

        describe_value(field, tree, &value);
        /* In quotes a number may still not be what is meant. */
        bool needs_form =
                field->form && wanted == MR_TYPE_STRING && mr_tree_type(tree) == MR_TREE_REAL;
        return mr_fail(err, MR_INVALID, NULL, "%s, is %s%s; %s%s", wanted_text(wanted),
                       mr_tree_type_name(mr_tree_type(tree)), mr_buf_text(&value),
                       needs_form ? "write " : "",
                       needs_form ? field->form : advice_text(wanted, tree));
}

static const char *value_text(const MrField *field, const char *text, MrBuf *buf) {
        if (field->flags & MR_SECRET)
                return "the value";
        mr_text_quote(text, buf);
        return mr_buf_text(buf);
}

static int fail_bounds(const MrField *field, const char *value, bool is_low, MrError *err) {
        const char *unit = field->unit ? field->unit : "";
        const char *space = *unit ? " " : "";

        if (field->flags & MR_SECRET)
                value = "the value";
        if (!field_has_maximum(field))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is below the minimum %lld%s%s; use at least that", value,
                               (long long) field->min, space, unit);
        return mr_fail(err, MR_INVALID, NULL,
                       "%s is %s the %s %lld%s%s; use a value from %lld to %lld", value,
                       is_low ? "below" : "above", is_low ? "minimum" : "maximum",
                       (long long) (is_low ? field->min : field->max), space, unit,
                       (long long) field->min, (long long) field->max);
}

int scalar_check_int(const MrField *field, int64_t value, MrError *err) {
        char text[32];
        bool is_low = field_has_minimum(field) && value < field->min;

        if (!is_low && !(field_has_maximum(field) && value > field->max))
                return 0;
        snprintf(text, sizeof(text), "%lld", (long long) value);
        return fail_bounds(field, text, is_low, err);
}

/* Bounds of quantities are never negative, and a quantity may exceed what a signed number holds. */
static int check_quantity(const MrField *field, uint64_t value, MrError *err) {
        char text[32];
        bool is_low = field->min > 0 && value < (uint64_t) field->min;

        if (!is_low && !(field_has_maximum(field) && value > (uint64_t) field->max))
                return 0;
        snprintf(text, sizeof(text), "%llu", (unsigned long long) value);
        return fail_bounds(field, text, is_low, err);
}

static int check_number(const MrField *field, double value, MrError *err) {
        char text[40];
        bool is_low = field_has_minimum(field) && value < (double) field->min;

        if (!is_low && !(field_has_maximum(field) && value > (double) field->max))
                return 0;
        snprintf(text, sizeof(text), "%g", value);
        return fail_bounds(field, text, is_low, err);
}

#define MATCHED_MAX                                                                                \
        65536U /* bytes; matching longer ones would cost more memory than the answer is worth */

int scalar_check_string(const MrField *field, const char *value, MrError *err) {
        _cleanup_buf_ MrBuf text = {};

        if (!field->pattern)
                return 0;
        if (strlen(value) > MATCHED_MAX)
                return mr_fail(err, MR_INVALID, NULL, "is longer than %u bytes; shorten it",
                               MATCHED_MAX);
        if (mr_matches(value, field->pattern))
                return 0;
        if (field->form)
                return mr_fail(err, MR_INVALID, NULL, "%s cannot be used; write %s",
                               value_text(field, value, &text), field->form);
        return mr_fail(err, MR_INVALID, NULL,
                       "%s does not match the pattern %s; use a value that does",
                       value_text(field, value, &text), field->pattern);
}

static int find_enum(const MrField *field, const char *text, int *ret, MrError *err) {
        _cleanup_buf_ MrBuf names = {}, value = {};

        for (const MrEnum *row = field->values; row->name; row++) {
                if (mr_streq(row->name, text)) {
                        *ret = row->value;
                        return 0;
                }
                mr_buf_printf(&names, "%s%s", names.size > 0 ? ", " : "", row->name);
        }
        return mr_fail(err, MR_INVALID, NULL, "%s is not one of the possible values; use one of %s",
                       value_text(field, text, &value), mr_buf_text(&names));
}

static int decode_enum(const MrField *field, const MrTree *tree, int *ret, MrError *err) {
        const char *text = mr_tree_string(tree);

        return text ? find_enum(field, text, ret, err)
                    : scalar_mismatch(field, MR_TYPE_STRING, tree, err);
}

static int decode_string(const MrField *field, const MrTree *tree, MrArena *arena, const char **ret,
                         MrError *err) {
        const char *text = mr_tree_string(tree);

        if (!text)
                return scalar_mismatch(field, MR_TYPE_STRING, tree, err);
        int r = scalar_check_string(field, text, err);
        if (r >= 0)
                *ret = mr_arena_strdup(arena, text);
        return r;
}

static int parse_quantity(MrType type, const char *text, uint64_t *ret) {
        return type == MR_TYPE_MILLI ? mr_parse_milli(text, ret) : mr_parse_bytes(text, ret);
}

/* A quantity may be written as a number or as a string with a suffix. */
static int decode_quantity(const MrField *field, const MrTree *tree, uint64_t *ret, MrError *err) {
        _cleanup_buf_ MrBuf text = {};
        uint64_t value;

        if (mr_tree_type(tree) == MR_TREE_BOOL || !mr_tree_text(tree, &text) ||
            parse_quantity(field->type, mr_buf_text(&text), &value) < 0)
                return scalar_mismatch(field, field->type, tree, err);
        int r = check_quantity(field, value, err);
        if (r >= 0)
                *ret = value;
        return r;
}

static int decode_int(const MrField *field, const MrTree *tree, int64_t *ret, MrError *err) {
        int64_t value = mr_tree_int(tree, 0);

        if (mr_tree_type(tree) != MR_TREE_INT)
                return scalar_mismatch(field, MR_TYPE_INT, tree, err);
        int r = scalar_check_int(field, value, err);
        if (r >= 0)
                *ret = value;
        return r;
}

static int decode_number(const MrField *field, const MrTree *tree, double *ret, MrError *err) {
        double value = mr_tree_real(tree, NAN);

        if (isnan(value))
                return scalar_mismatch(field, MR_TYPE_NUMBER, tree, err);
        int r = check_number(field, value, err);
        if (r >= 0)
                *ret = value;
        return r;
}

static int decode_bool(const MrField *field, const MrTree *tree, int *ret, MrError *err) {
        if (mr_tree_type(tree) != MR_TREE_BOOL)
                return scalar_mismatch(field, MR_TYPE_BOOL, tree, err);
        *ret = mr_tree_bool(tree, false);
        return 0;
}

int scalar_decode(const MrField *field, const MrTree *tree, MrArena *arena, void *member,
                  MrError *err) {
        switch (field->type) {
        case MR_TYPE_BOOL:
                return decode_bool(field, tree, member, err);
        case MR_TYPE_INT:
                return decode_int(field, tree, member, err);
        case MR_TYPE_NUMBER:
                return decode_number(field, tree, member, err);
        case MR_TYPE_ENUM:
                return decode_enum(field, tree, member, err);
        case MR_TYPE_BYTES:
        case MR_TYPE_MILLI:
                return decode_quantity(field, tree, member, err);
        default:
                return decode_string(field, tree, arena, member, err);
        }
}

void scalar_absent(const MrField *field, void *member) {
        switch (field->type) {
        case MR_TYPE_BOOL:
        case MR_TYPE_ENUM:
                *(int *) member = MR_UNSET;
                return;
        case MR_TYPE_INT:
                *(int64_t *) member = MR_INT_UNSET;
                return;
        case MR_TYPE_NUMBER:
                *(double *) member = NAN;
                return;
        default:
                /* All else is absent when it is zero, and the memory of an object comes zeroed. */
                return;
        }
}

static int parse_number(const char *text, double *ret) {
        char *end;

        *ret = strtod(text, &end);
        return *text && !*end ? 0 : -1;
}

static int parse_bool(const char *text, int *ret) {
        *ret = mr_streq(text, "true");
        return *ret || mr_streq(text, "false") ? 0 : -1;
}

void scalar_default(const MrField *field, MrArena *arena, void *member) {
        const char *text = field->fallback;
        int r = 0;

        switch (field->type) {
        case MR_TYPE_BOOL:
                r = parse_bool(text, member);
                break;
        case MR_TYPE_INT:
                r = mr_parse_int(text, member);
                break;
        case MR_TYPE_NUMBER:
                r = parse_number(text, member);
                break;
        case MR_TYPE_ENUM:
                r = find_enum(field, text, member, NULL);
                break;
        case MR_TYPE_BYTES:
        case MR_TYPE_MILLI:
                r = parse_quantity(field->type, text, member);
                break;
        default:
                *(const char **) member = mr_arena_strdup(arena, text);
        }
        if (r >= 0)
                return;
        mr_abort("The default \"%s\" of the field %s does not fit its type.", text, field->name);
}
