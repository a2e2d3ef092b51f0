// graph/export.h: marks what the shared library exports.
#pragma once

#if defined(__GNUC__)
#define VOXLOOM_API __attribute__((visibility("default")))
#else
#define VOXLOOM_API
#endif
