#pragma once

/* A small kind with one field of every type, shared by the tests of this folder and the fuzzer. */

#include "field.h"

typedef struct ExampleListener {
        const char *name;
        int64_t port;
        int type;
        int tls;
} ExampleListener;

typedef struct ExampleStorage {
        uint64_t size;
        const char *class;
        MrStrings paths;
} ExampleStorage;

typedef struct ExampleSpec {
        int64_t replicas;
        double ratio;
        int enabled;
        int quiet;
        const char *version;
        const char *password;
        uint64_t memory;
        uint64_t cpu;
        ExampleStorage *storage;
        ExampleStorage *cache;
        MrList listeners;
        MrStrings hosts;
        MrStrings roles;
        MrInts ids;
        MrPairs config;
        MrPairs labels;
        const MrTree *template;
        int64_t old;
        int mode;
} ExampleSpec;

enum { EXAMPLE_INTERNAL = 1, EXAMPLE_ROUTE = 2 };

static const MrEnum example_types[] = {
        {"internal", EXAMPLE_INTERNAL, "Reached from inside."},
        {"route", EXAMPLE_ROUTE, NULL},
        {},
};

static int example_listener_rule(const void *object, MrError *err) {
        const ExampleListener *listener = object;

        if (listener->type == EXAMPLE_ROUTE && listener->tls != 1)
                return mr_fail(err, MR_INVALID, "tls", "a route carries only TLS; set tls to true");
        return 0;
}

static int example_storage_rule(const void *object, MrError *err) {
        const ExampleStorage *storage = object;

        if (storage->size > 100 && !storage->class)
                return mr_fail(err, MR_INVALID, "class", "is needed for large sizes; add it");
        return 0;
}

static const MrField example_listener_fields[] = {
        MR_STRING("name", ExampleListener, name, .pattern = "^[a-z0-9]{1,11}$",
                  .form = "up to 11 lower-case letters and digits", .flags = MR_REQUIRED,
                  .doc = "Name of the listener, unique within the cluster."),
        MR_INT("port", ExampleListener, port, .min = 9092, .max = 65535, .flags = MR_REQUIRED,
               .doc = "Port on which every broker listens."),
        MR_ENUM("type", ExampleListener, type, example_types, .fallback = "internal",
                .doc = "From where clients reach the listener."),
        MR_BOOL("tls", ExampleListener, tls, .fallback = "false", .flags = MR_NOT_YET,
                .doc = "Encrypts."),
        {},
};

static const MrField example_storage_fields[] = {
        MR_BYTES("size", ExampleStorage, size, .min = 10, .max = 1000, .fallback = "20",
                 .unit = "bytes"),
        MR_STRING("class", ExampleStorage, class),
        MR_STRINGS("paths", ExampleStorage, paths),
        {},
};

static const MrField example_fields[] = {
        MR_INT("replicas", ExampleSpec, replicas, .min = 1, .fallback = "3",
               .doc = "How many nodes there are."),
        MR_NUMBER("ratio", ExampleSpec, ratio, .max = 1, .fallback = "0.5"),
        MR_BOOL("enabled", ExampleSpec, enabled, .fallback = "true"),
        MR_BOOL("quiet", ExampleSpec, quiet),
        MR_STRING("version", ExampleSpec, version, .fallback = "3.9.1"),
        MR_STRING("password", ExampleSpec, password, .pattern = "^[a-z]{8}$", .flags = MR_SECRET),
        MR_BYTES("memory", ExampleSpec, memory, .fallback = "1Gi"),
        MR_MILLI("cpu", ExampleSpec, cpu, .fallback = "500m", .min = 100),
        MR_OBJECT("storage", ExampleSpec, storage, ExampleStorage, example_storage_fields,
                  .rule = example_storage_rule, .doc = "Where data lies."),
        MR_OBJECT("cache", ExampleSpec, cache, ExampleStorage, example_storage_fields,
                  .fallback = "{size: 42}"),
        MR_LIST("listeners", ExampleSpec, listeners, ExampleListener, example_listener_fields,
                .max = 3, .rule = example_listener_rule, .doc = "Where clients connect."),
        MR_STRINGS("hosts", ExampleSpec, hosts, .pattern = "^[a-z]+$", .min = 1),
        MR_STRINGS("roles", ExampleSpec, roles, .fallback = "[a, b]"),
        MR_INTS("ids", ExampleSpec, ids, .min = 1, .max = 99),
        MR_MAP("config", ExampleSpec, config),
        MR_MAP("labels", ExampleSpec, labels, .fallback = "{y1: b, a: 1}"),
        MR_TREE("template", ExampleSpec, template, .flags = MR_NOT_YET, .doc = "Kept."),
        MR_INT("old", ExampleSpec, old, .flags = MR_DEPRECATED),
        MR_ENUM("mode", ExampleSpec, mode, example_types),
        {},
};
