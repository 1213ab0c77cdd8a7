#!/usr/bin/env python3
"""Turns recorded objects into what parity-test compares with.

    parity-record.py FOLDER NAME=DIRECTORY...

FOLDER/NAME.yaml is a spec, DIRECTORY/objects/*.yaml what an operator made of it: one object a file, as an API server
gives it, with what differs from run to run replaced by <…> and certificates by their description. FOLDER/NAME.expected
is written: a line for each object, below it a line for each field; see parity-test.c. An object that is like one of an
earlier NAME or of this one has only the lines that differ, so all names have to be given at once."""
import copy
import glob
import json
import os
import re
import sys

import yaml

# Set by an API server, and the same everywhere.
DEFAULTS = {
    "Service": ["spec.internalTrafficPolicy", "spec.sessionAffinity", "spec.clusterIPs", "spec.healthCheckNodePort"],
    "PersistentVolumeClaim": ["spec.volumeMode"],
}
POD_DEFAULTS = {"restartPolicy": "Always", "schedulerName": "default-scheduler", "affinity": {}}
# Kinds of which every field counts; of others it counts that there is one.
WHOLE = {"Service", "Ingress", "Route", "TLSRoute", "NetworkPolicy", "PodDisruptionBudget", "PersistentVolumeClaim",
         "ServiceAccount", "Role", "RoleBinding", "ClusterRoleBinding", "StatefulSet", "ConfigMap", "Secret"}
# Made for what is not part of a cluster of nodes: that there is one is all that counts.
ASIDE = re.compile(r"-(entity-(topic-|user-)?operator|cruise-control|kafka-exporter|jmx-trans|kafka-jmx-trans|"
                   r"network-policy-cruise-control)")
OTHERS = re.compile(r"(mirrormaker2|mirror-maker|connect-|bridge)")
# Comma-separated, without an order.
LISTS = ("listeners", "advertised.listeners", "listener.security.protocol.map")
NODE_SERVICE = r"(?:kafka-brokers|zookeeper-nodes)"


def as_default(text, namespace):
    """The same in the namespace "default"."""
    name = re.escape(namespace)
    text = re.sub(r"(\.)" + name + r"(\.svc\b)", r"\1default\2", text)
    text = re.sub(r"(-bootstrap|-brokers|-client|-nodes)\." + name + "$", r"\1.default", text, flags=re.M)
    text = re.sub(r"(\$\{strimzisecrets:)" + name + "/", r"\1default/", text)
    text = re.sub("namespace: " + name + r"\n", "namespace: default\n", text)
    text = re.sub("-" + name + r"(\.apps\.example\.com)", r"-default\1", text)
    return re.sub("strimzi-" + name + "-", "strimzi-default-", text)


# --- fields

def element(value, i):
    """What an element of a list is known by."""
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and "mountPath" not in value:
            return value["name"]
        if isinstance(value.get("mountPath"), str):
            return value["mountPath"]
        if isinstance(value.get("ports"), list):
            return str(value["ports"][0]["port"])
    return str(i)


def flatten(path, value, out):
    if isinstance(value, list) and path.endswith(".from"):
        for one in value:
            text = json.dumps(one, sort_keys=True, separators=(",", ":")).replace(" ", "")
            out[f"{path}{{{text}}}"] = True
    elif isinstance(value, dict) and value:
        for key in sorted(value):
            plain = re.match(r"^[A-Za-z0-9_-]+$", key)
            flatten(path + ("." if path else "") + (key if plain else f'"{key}"'), value[key], out)
    elif isinstance(value, list) and value:
        for i, one in enumerate(value):
            flatten(f"{path}[{element(one, i)}]", one, out)
    else:
        out[path] = value


def properties(text):
    pairs = {}
    for line in text.replace("\\\n", "").splitlines():
        line = line.strip()
        if line and line[0] != "#":
            key, _, value = line.partition("=")
            pairs[key.strip()] = value.strip()
    return pairs


def levels(options):
    """Of loggers: the level of the root, and those that differ from it."""
    def level(text):
        text = re.sub(r"\$\{([^}]*)\}", lambda m: options.get(m[1], m[0]), text)
        return text.split(",")[0].strip()

    found = {"root": level(options.get("rootLogger.level") or options.get("log4j.rootLogger"))}
    for key, text in options.items():
        if key.startswith("logger.") and key.endswith(".level"):
            name = options.get(key[:-5] + "name", key)
        elif key.startswith("log4j.logger."):
            name = key[13:]
        else:
            continue
        if level(text) != found["root"]:
            found[name] = level(text)
    return found


def store_of(part, text, node, cluster):
    """Which secret and key a store is; "" where the option means nothing by itself, None where it is no store."""
    secret = re.match(r"\$\{strimzisecrets:default/([^:]*):([^}]*)\}$", text)
    if part == "certificate.chain" and secret:
        return secret[1] + "/" + secret[2].removesuffix(".crt")
    if part == "key" and secret:
        return ""
    if part == "certificates" and secret:
        return secret[1] + "/" + secret[2]
    if part == "password" and text == "${strimzienv:CERTS_STORE_PASSWORD}":
        return ""
    if part != "location" or not text.startswith("/tmp/kafka/"):
        return None
    file = text.removeprefix("/tmp/kafka/")
    known = {"cluster.keystore.p12": f"{node}/{node}", "cluster.truststore.p12": f"{cluster}-trustbundle/cluster-ca.crt",
             "clients.truststore.p12": f"{cluster}-trustbundle/clients-ca.crt"}
    return known.get(file, f"{node}/" + file.removeprefix("custom-").removesuffix(".keystore.p12"))


def meaning(options, node, cluster):
    """Stores by what is in them, nodes by the names their pods have here, lists without an order."""
    result = {}
    for key, text in options.items():
        text = re.sub(rf"(\b[a-z0-9.-]+-\d+)\.([a-z0-9.-]+-{NODE_SERVICE}\.default\.svc)", r"\1-0.\2", text)
        if key == "controller.quorum.voters":
            text = text.replace(".svc.cluster.local", ".svc")
        if key.endswith("sasl.jaas.config"):
            text = re.sub(r"\s+;$", ";", text)
        if key in LISTS:
            result.update({f"{key}{{{one}}}": True for one in text.split(",")})
            continue
        part = re.match(r"(.*\.)?ssl\.(keystore|truststore)\.(.*)$", key)
        store = store_of(part[3], text, node, cluster) if part else None
        if store:
            result[(part[1] or "") + "ssl." + part[2]] = store
        elif store is None:
            result[key] = text
    return result


def certificate(described):
    result = {"subject": described["subject"], "days": int(described["validity-days"])}
    for extension in described["extensions"]:
        if extension["name"] == "subjectAltName":
            names = [name.removeprefix("DNS:").removeprefix("IP:").removeprefix("IP Address:")
                     for name in extension["value"]]
            result["from"] = [re.sub(rf"^(\S+?-\d+)\.(\S+-{NODE_SERVICE}\.)", r"\1-0.\2", name) for name in names]
    return result


def contents(kind, thing, cluster):
    """What stands for the data of a ConfigMap or a Secret."""
    result = {}
    for key, text in (thing.get("data") or {}).items():
        if kind == "ConfigMap" and key.startswith("log4j") and isinstance(text, str):
            result["log"] = levels(properties(text))
        elif kind == "ConfigMap" and key == "server.config" and isinstance(text, str):
            result["server"] = meaning(properties(text), thing["metadata"]["name"], cluster)
        else:
            result.setdefault("data", {})[key] = True
        if kind == "Secret" and key.endswith(".crt") and isinstance(text, list) and text and key != "ca.crt" and \
                not text[0].get("self-signed"):
            result["certificate"] = certificate(text[0])
    return result


def drop(fields, chosen):
    for path in [path for path in fields if chosen(path)]:
        del fields[path]


def drop_defaults(kind, fields, spec):
    drop(fields, lambda path: isinstance(fields[path], str) and fields[path].startswith("<hash"))
    for default in DEFAULTS.get(kind, []):
        drop(fields, lambda path, default=default: path == default or path.startswith(default + "["))
    if fields.get("spec.storageClassName") == "hostpath" and "hostpath" not in spec:
        del fields["spec.storageClassName"]
    if kind == "Service":
        drop(fields, lambda path: re.match(r"spec\.ports\[.*\]\.nodePort$", path) and
             str(fields[path]).startswith("<"))
        if fields.get("spec.ipFamilyPolicy") == "SingleStack" and "SingleStack" not in spec:
            drop(fields, lambda path: path in ("spec.ipFamilyPolicy", "spec.ipFamilies[0]"))
        drop(fields, lambda path: path == "spec.externalTrafficPolicy" and fields[path] == "Cluster")
        drop(fields, lambda path: path == "spec.allocateLoadBalancerNodePorts" and fields[path] is True)
    if kind == "StatefulSet":
        for key, default in POD_DEFAULTS.items():
            drop(fields, lambda path, key=key, default=default: path == "spec.template.spec." + key and
                 fields[path] == default)


def fields_of(kind, name, thing, cluster, spec):
    if kind not in WHOLE or ASIDE.search(name):
        return {}
    if kind in ("ConfigMap", "Secret"):
        thing = {key: thing[key] for key in ("apiVersion", "metadata", "type") if key in thing} | \
            contents(kind, thing, cluster)
    thing = copy.deepcopy(thing)
    thing.pop("kind", None)
    thing["metadata"].pop("name", None)
    for owner in thing["metadata"].get("ownerReferences", []):
        owner.pop("uid", None)
    fields = {}
    flatten("", thing, fields)
    drop_defaults(kind, fields, spec)
    return {path: json.dumps(fields[path], ensure_ascii=False) for path in sorted(fields)}


# --- objects

def sets_of(pod_set):
    """The pods of a set, as the sets of one they are here."""
    for pod in pod_set["spec"]["pods"]:
        metadata = {key: pod["metadata"][key] for key in ("labels", "annotations") if key in pod["metadata"]}
        yield pod["metadata"]["name"], {"apiVersion": "apps/v1", "metadata": pod_set["metadata"],
                                        "spec": {"template": {"metadata": metadata, "spec": pod["spec"]}}}


def namespace_of(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            namespace = yaml.safe_load(file)["metadata"].get("namespace")
        if namespace:
            return namespace
    return "default"


def objects_of(directory, spec):
    paths = sorted(glob.glob(directory + "/objects/*.yaml"))
    namespace, result = namespace_of(paths), {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            thing = yaml.safe_load(as_default(file.read(), namespace))
        kind, name = thing["kind"], thing["metadata"]["name"]
        if kind == "Pod" or (OTHERS.search(name) and "bootstrap" not in name):
            continue
        thing["metadata"].pop("namespace", None)
        cluster = thing["metadata"].get("labels", {}).get("strimzi.io/cluster", "")
        found = sets_of(thing) if kind == "StrimziPodSet" else [(name, thing)]
        kind = "StatefulSet" if kind == "StrimziPodSet" else kind
        for name, one in found:
            result[f"{kind}/{name}"] = fields_of(kind, name, one, cluster, spec)
    return result


# --- what is written

def cost(fields, base):
    changed = sum(len(path) + len(text) + 3 for path, text in fields.items() if base.get(path) != text)
    return changed + sum(len(path) + 3 for path in base if path not in fields)


def write_object(key, fields, name, before, out):
    best, least = None, cost(fields, {}) + 1
    for candidate in before[-400:]:
        price = 60 + cost(fields, candidate[2])
        if price < least:
            best, least = candidate, price
    if not best:
        out.append(key)
        out.extend(f" {path} {text}" for path, text in fields.items())
        return
    spec, base_key, base = best
    base_name = base_key.split("/")[1]
    out.append(f"{key} as {base_name if spec == name else f'{spec}:{base_name}'}")
    for path in sorted(set(fields) | set(base)):
        if path not in fields:
            out.append(f" -{path}")
        elif base.get(path) != fields[path]:
            out.append(f" {path} {fields[path]}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, before = sys.argv[1], {}
    for name, directory in sorted((argument.split("=", 1) for argument in sys.argv[2:]), key=lambda x: x[0] + ".yaml"):
        with open(f"{folder}/{name}.yaml", encoding="utf-8") as file:
            spec = file.read()
        objects, lines = objects_of(directory, spec), []
        for key in sorted(objects):
            earlier = before.setdefault(key.split("/")[0], [])
            write_object(key, objects[key], name, earlier, lines)
            if objects[key]:
                earlier.append((name, key, objects[key]))
        with open(f"{folder}/{name}.expected", "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main()
