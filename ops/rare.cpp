// ops/rare.cpp: slow paths of vector math: sin, cos and tan of huge arguments.
#include <voxloom/ops/prim.h>
#include <voxloom/ops/rare.h>

#include <cmath>

namespace voxloom::ops {

const RareEntry rare_table[] = {
    {"sin", [](double x) { return std::sin(x); }},
    {"cos", [](double x) { return std::cos(x); }},
    {"tan", [](double x) { return std::tan(x); }},
};
const int rare_count = 3;

}  // namespace voxloom::ops
