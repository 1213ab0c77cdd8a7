#pragma once

#include "manifest.h"

/* Adds each object as "KIND/NAME" → PATH → JSON. */
void object_fields(const MrManifests *manifests, MrTree *ret);
