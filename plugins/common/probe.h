#pragma once

/* Rows of livenessProbe and readinessProbe. */

#include "field.h"

extern const MrField probe_fields[];
