// api/version.h: the one source of the version; CMake, the command and the package files read it from here.
#pragma once

#define VOXLOOM_VERSION_MAJOR 0
#define VOXLOOM_VERSION_MINOR 1
#define VOXLOOM_VERSION_PATCH 0

#define VOXLOOM_VERSION_TEXT_(a, b, c) #a "." #b "." #c
#define VOXLOOM_VERSION_TEXT(a, b, c) VOXLOOM_VERSION_TEXT_(a, b, c)
/// "0.1.0"
#define VOXLOOM_VERSION VOXLOOM_VERSION_TEXT(VOXLOOM_VERSION_MAJOR, VOXLOOM_VERSION_MINOR, VOXLOOM_VERSION_PATCH)
