/* jvmOptions and resources: rows, and the command line options they stand for. */

#include "java.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "str.h"

#define MEBIBYTE (UINT64_C(1) << 20)
#define DERIVED_HEAP_MAX (UINT64_C(5) << 30)
#define DEFAULT_XMS "128M"

/* Options that run commands or read other files are no business of a cluster's spec. */
static const char *const refused_flags[] = {"OnError", "OnOutOfMemoryError", "Flags",
                                            "VMOptionsFile"};

static int flag_name_check(const char *name, MrError *err) {
        if (!mr_matches(name, "[A-Za-z][A-Za-z0-9]*"))
                return mr_fail(err, MR_INVALID, NULL,
                               "is no name of a JVM flag; use letters and digits, without '+', "
                               "'-' and '='");
        for (size_t i = 0; i < MR_ELEMENTS(refused_flags); i++)
                if (mr_streq(name, refused_flags[i]))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "this flag runs commands or reads other files; remove it");
        return 0;
}

static bool is_one_line(const char *text) {
        for (; *text; text++)
                if (iscntrl((unsigned char) *text))
                        return false;
        return true;
}

static int flag_check(const MrPair *flag, MrError *err) {
        _cleanup_buf_ MrBuf path = {};
        int r = flag_name_check(flag->key, err);

        if (r >= 0 && !is_one_line(flag->value))
                r = mr_fail(err, MR_INVALID, NULL, "has line breaks; write it on one line");
        if (r >= 0)
                return 0;
        mr_tree_path_key(&path, "-XX");
        mr_tree_path_key(&path, flag->key);
        return mr_error_within(err, r, "%s", mr_buf_text(&path));
}

int java_options_rule(const void *object, MrError *err) {
        const JavaOptions *options = object;

        for (size_t i = 0; i < options->xx.n; i++) {
                int r = flag_check(&options->xx.items[i], err);
                if (r < 0)
                        return r;
        }
        if (options->xms && options->xmx &&
            java_heap_bytes(options->xms) > java_heap_bytes(options->xmx))
                return mr_fail(
                        err, MR_INVALID, "-Xms",
                        "the first heap size %s is more than -Xmx %s; lower one or raise the other",
                        options->xms, options->xmx);
        return 0;
}

static int property_rule(const void *object, MrError *err) {
        const JavaProperty *property = object;

        if (property->value && !is_one_line(property->value))
                return mr_fail(err, MR_INVALID, "value",
                               "a system property has line breaks; write it on one line");
        return 0;
}

static const MrField property_fields[] = {
        MR_STRING("name", JavaProperty, name, .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                  .form = "letters, digits, '.', '_' and '-'", .flags = MR_REQUIRED,
                  .doc = "Name of the system property, as in -Dname=value."),
        MR_STRING("value", JavaProperty, value, .doc = "Value of the system property."),
        {},
};

#define HEAP_PATTERN "^[0-9]+[mMgG]?$"
#define HEAP_FORM "a size such as 512m or 2g"

const MrField java_options_fields[] = {
        MR_STRING("-Xms", JavaOptions, xms, .pattern = HEAP_PATTERN, .form = HEAP_FORM,
                  .doc = "Heap the process starts with, such as 512m; 128M when nothing is said."),
        MR_STRING("-Xmx", JavaOptions, xmx, .pattern = HEAP_PATTERN, .form = HEAP_FORM,
                  .doc = "Most heap the process may use. Without it half of the memory limit is "
                         "taken, at most 5 GiB; "
                         "without a limit 1 GiB for Kafka and 512 MiB for ZooKeeper."),
        MR_MAP("-XX", JavaOptions, xx,
               .doc = "Flags of the virtual machine by name: true and false switch, other values "
                      "are assigned. "
                      "Flags given here replace the default choice of collector."),
        MR_BOOL("gcLoggingEnabled", JavaOptions, gc_logging, .fallback = "false",
                .doc = "Writes what the garbage collector does to the log of the node."),
        MR_LIST("javaSystemProperties", JavaOptions, properties, JavaProperty, property_fields,
                .rule = property_rule, .doc = "More system properties of the process."),
        {},
};

static const MrField amounts_fields[] = {
        MR_BYTES("memory", Amounts, memory, .unit = "bytes", .doc = "Memory, for example 2Gi."),
        MR_MILLI("cpu", Amounts, cpu, .unit = "cores",
                 .doc = "Processor time, for example 500m for half a core."),
        MR_TREE("ephemeral-storage", Amounts, not_yet, .flags = MR_POD,
                .doc = "Scratch space on the node's disk."),
        MR_TREE("*", Amounts, not_yet, .flags = MR_POD,
                .doc = "Anything else that machines have some of, such as hugepages-2Mi."),
        {},
};

const MrField resources_fields[] = {
        MR_OBJECT("limits", Resources, limits, Amounts, amounts_fields,
                  .doc = "What one node may use at most. A change applies to the running process."),
        MR_OBJECT("requests", Resources, requests, Amounts, amounts_fields,
                  .doc = "What one node is meant to have even when others want it too."),
        MR_TREE("claims", Resources, not_yet, .flags = MR_NOT_YET | MR_POD,
                .doc = "Claims of dynamically allocated devices."),
        {},
};

uint64_t java_heap_bytes(const char *text) {
        uint64_t value = 0;

        if (!text || !isdigit((unsigned char) *text))
                return 0;
        for (; isdigit((unsigned char) *text); text++) {
                if (value > UINT64_MAX / 2048 / MEBIBYTE)
                        return 0;
                value = value * 10 + (uint64_t) (*text - '0');
        }
        if (*text == 'm' || *text == 'M')
                return value * MEBIBYTE;
        if (*text == 'g' || *text == 'G')
                return value * MEBIBYTE * 1024;
        return *text ? 0 : value;
}

static uint64_t heap_from(const Resources *resources, uint64_t default_heap) {
        uint64_t memory = 0;

        if (resources && resources->limits)
                memory = resources->limits->memory;
        if (!memory && resources && resources->requests)
                memory = resources->requests->memory;
        if (!memory)
                return default_heap;
        return memory / 2 < DERIVED_HEAP_MAX ? memory / 2 : DERIVED_HEAP_MAX;
}

static void add_heap(MrArena *arena, const JavaOptions *options, const Resources *resources,
                     uint64_t default_heap, MrWorkload *workload) {
        const char *xmx = options ? options->xmx : NULL;
        const char *xms = options ? options->xms : NULL;

        if (!xmx) {
                uint64_t heap = heap_from(resources, default_heap);
                /* A floor given by the user lifts a derived ceiling, else the process would not
                 * start. */
                if (java_heap_bytes(xms) > heap)
                        heap = java_heap_bytes(xms);
                xmx = mr_arena_strf(arena, "%" PRIu64 "m", heap < MEBIBYTE ? 1 : heap / MEBIBYTE);
        }
        if (!xms)
                xms = java_heap_bytes(xmx) < java_heap_bytes(DEFAULT_XMS) ? xmx : DEFAULT_XMS;
        workload->heap_bytes = java_heap_bytes(xmx);
        mr_strings_add(arena, &workload->jvm_options, mr_arena_strf(arena, "-Xms%s", xms));
        mr_strings_add(arena, &workload->jvm_options, mr_arena_strf(arena, "-Xmx%s", xmx));
}

static void add_flag(MrArena *arena, const MrPair *flag, MrStrings *ret) {
        if (mr_streq(flag->value, "true") || mr_streq(flag->value, "false"))
                mr_strings_add(arena, ret,
                               mr_arena_strf(arena, "-XX:%c%s", flag->value[0] == 't' ? '+' : '-',
                                             flag->key));
        else
                mr_strings_add(arena, ret,
                               mr_arena_strf(arena, "-XX:%s=%s", flag->key, flag->value));
}

/* The virtual machine wants the flags that unlock others in front of them. */
static void add_flags(MrArena *arena, const MrPairs *flags, MrStrings *ret) {
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < flags->n; i++)
                        if (mr_starts_with(flags->items[i].key, "Unlock") == (pass == 0))
                                add_flag(arena, &flags->items[i], ret);
}

static void add_collector(MrArena *arena, const JavaOptions *options, MrStrings *ret) {
        static const char *const usual[] = {
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35",
                "-XX:+ExplicitGCInvokesConcurrent",
        };

        if (options && options->xx.n > 0)
                add_flags(arena, &options->xx, ret);
        else
                for (size_t i = 0; i < MR_ELEMENTS(usual); i++)
                        mr_strings_add(arena, ret, usual[i]);
        mr_strings_add(arena, ret, "-XX:+ExitOnOutOfMemoryError");
}

void java_apply(MrArena *arena, const JavaOptions *options, const Resources *resources,
                uint64_t default_heap, MrWorkload *workload) {
        MrStrings *flags = &workload->jvm_options;

        add_heap(arena, options, resources, default_heap, workload);
        add_collector(arena, options, flags);
        mr_strings_add(arena, flags, "-Djava.awt.headless=true");
        if (options && options->gc_logging > 0)
                mr_strings_add(arena, flags, "-Xlog:gc*:stdout:time");
        for (size_t i = 0; options && i < options->properties.n; i++) {
                const JavaProperty *property = (const JavaProperty *) options->properties.items + i;
                mr_strings_add(arena, flags,
                               mr_arena_strf(arena, "-D%s=%s", property->name,
                                             property->value ? property->value : ""));
        }
        if (resources && resources->limits) {
                workload->memory_limit = resources->limits->memory;
                workload->cpu_limit = resources->limits->cpu;
        }
        if (resources && resources->requests) {
                workload->memory_request = resources->requests->memory;
                workload->cpu_request = resources->requests->cpu;
        }
}
