#pragma once

/* What is said about text that is no YAML: where, what is wrong, and what to do. Checked here,
 * before the parser sees it, is what holds for any text file. */

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "error.h"

/* Size, encoding and control characters. */
int text_check(const char *text, size_t size, MrError *err) _must_check_;
/* The sentence for what stopped the parser. */
bool yaml_is_unclosed(const yaml_parser_t *parser); /* a quote or bracket, opened at context_mark */
const char *yaml_advice(const yaml_parser_t *parser, const char *text, size_t size);
