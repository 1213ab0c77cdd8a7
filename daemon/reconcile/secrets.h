#pragma once

/* Certificates and secrets are the same on every platform, so the core lowers them: a wanted
 * manifest describes the certificate, the found one says whether what is stored still serves. Pure;
 * keys are made when a step is carried out. */

#include "crypto/certificate-check.h"
#include "loaded.h"
#include "model/annotations.h"

#define RANK_AUTHORITY (-20)
#define RANK_CERTIFICATE (-10)
#define RANK_SECRET (-5)

#define RENEW_ANNOTATION ANNOTATION_RENEW
#define REPLACE_ANNOTATION ANNOTATION_REPLACE
#define KEY_GENERATION "strimzi.io/ca-key-generation"
#define CERTIFICATE_GENERATION "strimzi.io/ca-cert-generation"
/* Which of those was done last: the uid of the Secret that asked, and the annotation's value. */
#define DONE_ANNOTATION "millrace.io/done"

/* Adds Secret manifests for the certificates, secrets and bundles of the parts to wanted, and what
 * the facts know of them to found. `wanted` already holds the addresses of nodes. */
int secrets_lower(const Loading *loading, MrManifests *wanted, MrManifests *found,
                  MrError *err) _must_check_;
/* The certificate a manifest of kind Secret describes, for issuing it: memory from `arena`. 0 when
 * it describes none. */
int secrets_certificate(const MrManifest *manifest, MrArena *arena, MrCertificate *ret,
                        CertificateTerms *ret_terms);
