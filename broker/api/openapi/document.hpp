// The OpenAPI 3.1 document, made from the route table and the schemas.
#pragma once

#include <string>

namespace godwit {

std::string openapi_document();

// The text of components.schemas, an object by name; also read by the tests.
extern const char* const kOpenApiSchemas;

}  // namespace godwit
