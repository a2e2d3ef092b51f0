// api/voxloom.h: everything a program needs to build, compile and run expressions.
#pragma once

// The parts, in reading order.
#include <voxloom/api/version.h>

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/type.h>

#include <voxloom/ops/build.h>
#include <voxloom/ops/elemwise_op.h>
#include <voxloom/ops/host_op.h>
#include <voxloom/ops/variables.h>

#include <voxloom/runtime/array.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/log.h>

#include <voxloom/api/config.h>
#include <voxloom/api/function.h>
#include <voxloom/api/gradient.h>
#include <voxloom/api/image.h>
#include <voxloom/api/print.h>
#include <voxloom/api/saved_function.h>
#include <voxloom/api/shared.h>
#include <voxloom/api/test_value.h>
