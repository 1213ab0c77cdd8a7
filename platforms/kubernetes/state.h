#pragma once

/* What an observation needs of an object beyond what we own of it, as a map. Pure.
 *
 * any           asks: annotations that ask for something
 * Pod           set, phase, ready, since, message, failed, restarts, address, machine, role,
 *               fingerprint
 * StatefulSet   replicas, taken (its controller has seen its last change), role, fingerprint,
 * claims Service, Route, Ingress   host, port PersistentVolumeClaim     storage_class, size,
 * capacity, identity */

#include "kinds.h"
#include "tree.h"

MrTree *state_of(const ApiKind *kind, const MrTree *object);
