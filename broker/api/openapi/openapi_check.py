#!/usr/bin/env python3
"""Checks an OpenAPI 3.1 document: structure, references, parameters, schemas against their meta-schema, examples against schemas.

  openapi_check.py FILE
"""

import json
import re
import sys

from jsonschema import Draft202012Validator, RefResolver

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
faults = []


def fault(where, text):
    faults.append(f"{where}: {text}")


def resolve(document, ref):
    value = document
    for part in ref.removeprefix("#/").split("/"):
        value = value[part.replace("~1", "/").replace("~0", "~")]
    return value


def walk(value, where):
    yield where, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from walk(child, f"{where}/{key}")


def check_references(document):
    for where, value in walk(document, ""):
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            try:
                resolve(document, value["$ref"])
            except (KeyError, TypeError):
                fault(where, f"dangling reference {value['$ref']}")


def check_content(document, where, content):
    for media, holder in content.items():
        if "/" not in media:
            fault(where, f"{media} is not a media type")
        if "schema" not in holder:
            fault(where, f"{media} has no schema")


def check_operation(document, path, method, operation, ids):
    where = f"{method.upper()} {path}"
    for needed in ("operationId", "summary", "responses", "tags", "security"):
        if needed not in operation:
            fault(where, f"has no {needed}")
    if operation["operationId"] in ids:
        fault(where, f"repeats operationId {operation['operationId']}")
    ids.add(operation["operationId"])
    for tag in operation["tags"]:
        if tag not in {t["name"] for t in document["tags"]}:
            fault(where, f"has an undeclared tag {tag}")
    for requirement in operation["security"]:
        for scheme in requirement:
            if scheme not in document["components"]["securitySchemes"]:
                fault(where, f"has an undeclared security scheme {scheme}")
    parameters = [resolve(document, p["$ref"]) if "$ref" in p else p for p in operation.get("parameters", [])]
    seen = set()
    for p in parameters:
        if p.get("in") not in ("path", "query", "header") or "name" not in p or "schema" not in p or not p.get("description"):
            fault(where, f"has an incomplete parameter {p}")
        if (p["in"], p["name"]) in seen:
            fault(where, f"repeats parameter {p['name']}")
        seen.add((p["in"], p["name"]))
        if p["in"] == "path" and p.get("required") is not True:
            fault(where, f"path parameter {p['name']} is not required")
    if {n for kind, n in seen if kind == "path"} != set(re.findall(r"{([^}]+)}", path)):
        fault(where, "path parameters and path differ")
    if not any(code.startswith("2") for code in operation["responses"]):
        fault(where, "has no success")
    for code, response in operation["responses"].items():
        if not re.fullmatch(r"[1-5]\d\d", code):
            fault(where, f"{code} is not a status")
        response = resolve(document, response["$ref"]) if "$ref" in response else response
        if not response.get("description"):
            fault(where, f"{code} has no description")
        check_content(document, f"{where} {code}", response.get("content", {}))
    if "requestBody" in operation:
        check_content(document, f"{where} body", operation["requestBody"]["content"])


def check_schema(document, name, schema):
    resolver = RefResolver.from_schema(document)
    try:
        Draft202012Validator.check_schema(schema)
    except Exception as error:  # every fault of a schema is one of ours
        fault(f"schema {name}", str(error).splitlines()[0])
        return
    if not schema.get("description"):
        fault(f"schema {name}", "has no description")
    for where, value in walk(schema, f"schema {name}"):
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            for member, inner in value["properties"].items():
                if "$ref" not in inner and not inner.get("description"):
                    fault(f"{where}/properties/{member}", "has no description")
    for example in schema.get("examples", []):
        for error in Draft202012Validator(schema, resolver=resolver).iter_errors(example):
            fault(f"schema {name}", f"its example does not fit: {error.message}")


def main():
    document = json.load(open(sys.argv[1]))
    if not re.fullmatch(r"3\.1\.\d+", document["openapi"]):
        fault("openapi", "is not 3.1")
    for needed in ("title", "version"):
        if not document["info"].get(needed):
            fault("info", f"has no {needed}")
    check_references(document)
    ids, operations = set(), 0
    for path, item in document["paths"].items():
        if not path.startswith("/"):
            fault(path, "does not begin with /")
        for method, operation in item.items():
            if method not in METHODS:
                fault(path, f"{method} is not a method")
                continue
            operations += 1
            check_operation(document, path, method, operation, ids)
    used = {v["$ref"].split("/")[-1] for _, v in walk(document, "") if isinstance(v, dict) and isinstance(v.get("$ref"), str)}
    for name, schema in document["components"]["schemas"].items():
        check_schema(document, name, schema)
        if name not in used:
            fault(f"schema {name}", "is used nowhere")
    for line in faults:
        print(line)
    print(f"{operations} operations, {len(document['components']['schemas'])} schemas, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
