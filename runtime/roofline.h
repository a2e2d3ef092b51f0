// runtime/roofline.h: what this machine can move and compute at best, measured once, to judge measured steps by.
#pragma once

#include <voxloom/graph/export.h>

#include <cstdint>

namespace voxloom {

/// Highest rates seen in a short measurement. A step whose data stay in a cache may exceed the bandwidth: its share is then above 1.
struct Roofline {
  int threads = 0;                  ///< number behind the `all` values
  double bytes_per_second_one = 0;  ///< read and written bytes, one thread
  double bytes_per_second_all = 0;
  double flops_per_second_one = 0;  ///< float32, fused multiply-add counted as two
  double flops_per_second_all = 0;
};

/// Takes about 50 ms the first time for a number of threads (0: default_threads()), and no time afterwards.
VOXLOOM_API Roofline measure_roofline(int threads = 0);

}  // namespace voxloom
