#pragma once

/* Certificates and secrets are the same on every platform, so the core lowers them: a wanted
 * manifest describes the certificate, the found one says whether what is stored still serves. Pure;
 * keys are made when a step is carried out. */

#include "facts.h"
#include "manifest.h"

#define RANK_AUTHORITY (-20)
#define RANK_CERTIFICATE (-10)
#define RANK_SECRET (-5)

/* Adds Secret manifests for the certificates and secrets of `parts` to wanted, and what the facts
 * know of them to found. `wanted` already holds the addresses of nodes. */
int secrets_lower(const char *ns, const MrParts *parts, const MrFacts *facts, MrManifests *wanted,
                  MrManifests *found, MrError *err) _must_check_;
/* The certificate a manifest of kind Secret describes, for issuing it: memory from `arena`. 0 when
 * it describes none. */
int secrets_certificate(const MrManifest *manifest, MrArena *arena, MrCertificate *ret);
