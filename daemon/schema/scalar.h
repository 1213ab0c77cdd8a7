#pragma once

/* One scalar becomes one C value: type, bounds, spelling. Fails without a path; the decoder
 * knows where it is. */

#include "field.h"

/* The value of a scalar row from a document. Strings are copied to the arena. */
int scalar_decode(const MrField *field, const MrTree *tree, MrArena *arena, void *member,
                  MrError *err) _must_check_;
/* The value a row's fallback text stands for; a fallback that does not fit its row is a bug and
 * aborts. */
void scalar_default(const MrField *field, MrArena *arena, void *member);
/* What a member holds when nothing is written and there is no fallback. */
void scalar_absent(const MrField *field, void *member);
/* "must be an integer, is a string ("9092x"); write a number" */
int scalar_mismatch(const MrField *field, MrType wanted, const MrTree *tree,
                    MrError *err) _must_check_;
/* Bounds of an integer (INT, elements of INTS). */
int scalar_check_int(const MrField *field, int64_t value, MrError *err) _must_check_;
/* The pattern of a string (STRING, elements of STRINGS). */
int scalar_check_string(const MrField *field, const char *value, MrError *err) _must_check_;

bool field_has_minimum(const MrField *field);
bool field_has_maximum(const MrField *field);
const MrField *field_named(const MrField *fields, const char *name, size_t n);
