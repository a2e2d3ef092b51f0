// ops/vecmath/coefficients.h: polynomials, lowest power first; written by scripts/fit_polynomials.py, not by hand.
#pragma once

#include <voxloom/ops/prim.h>

namespace voxloom::ops::vm {

/// (e^r - 1) / r, |r| <= ln 2 / 2; error 0.058 * 2^-24.
inline constexpr double exp_half_c32[] = {0x1.0000000000000p+0, 0x1.fffffc0000000p-2, 0x1.55548a0000000p-3,
                                          0x1.55584c0000000p-5, 0x1.123fe60000000p-7, 0x1.6ae45e0000000p-10};
/// (e^r - 1) / r, |r| <= ln 2 / 2; error 0.2 * 2^-53.
inline constexpr double exp_half_c64[] = {0x1.0000000000003p+0,  0x1.0000000000006p-1,  0x1.5555555554643p-3,  0x1.55555555518eep-5,
                                          0x1.11111113b5a6ap-7,  0x1.6c16c1815bc4ep-10, 0x1.a019f58ccdd51p-13, 0x1.a0199fd9ec2bbp-16,
                                          0x1.71f64534ab84ap-19, 0x1.28a9800b58317p-22, 0x1.8c01efa224b4cp-26};
/// (2^r - 1) / r, |r| <= 1/2; error 0.088 * 2^-24.
inline constexpr double exp2_half_c32[] = {0x1.62e4320000000p-1, 0x1.ebfbe60000000p-3,  0x1.c6ada80000000p-5,
                                           0x1.3b21ca0000000p-7, 0x1.5fbcce0000000p-10, 0x1.4be2360000000p-13};
/// (2^r - 1) / r, |r| <= 1/2; error 0.24 * 2^-53.
inline constexpr double exp2_half_c64[] = {0x1.62e42fefa39f3p-1,  0x1.ebfbdff82c599p-3,  0x1.c6b08d7048dcfp-5,  0x1.3b2ab6fba1c64p-7,
                                           0x1.5d87fe7bf3e9dp-10, 0x1.43091309875c8p-13, 0x1.ffcbed4c80e91p-17, 0x1.62bfd4b16894dp-20,
                                           0x1.b5432b0aa7faep-24, 0x1.e605333073171p-28, 0x1.bdeb4a7243ef9p-32};
/// (e^r - 1 - r) / r^2, |r| <= ln 2 / 2; error 0.056 * 2^-24.
inline constexpr double expm1_c32[] = {0x1.0000000000000p-1, 0x1.55552c0000000p-3,  0x1.5555020000000p-5,
                                       0x1.11565a0000000p-7, 0x1.6d2e380000000p-10, 0x1.3970a40000000p-13};
/// (e^r - 1 - r) / r^2, |r| <= ln 2 / 2; error 0.0026 * 2^-53.
inline constexpr double expm1_c64[] = {0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.5555555555557p-5,  0x1.111111110f6fcp-7,
                                       0x1.6c16c16c17ad5p-10, 0x1.a01a01afad453p-13, 0x1.a01a019813d96p-16, 0x1.71ddf8f2ffee4p-19,
                                       0x1.27e505d7c94cdp-22, 0x1.af5da88d8fd5fp-26, 0x1.1f25956a64b98p-29};
/// (log(1+f) - f) / f^2, 1+f in [sqrt 1/2, sqrt 2]; error 0.015 * 2^-24.
inline constexpr double log_c32[] = {-0x1.0000000000000p-1, 0x1.5555440000000p-2, -0x1.ffffe00000000p-3, 0x1.99a6260000000p-3,
                                     -0x1.55664c0000000p-3, 0x1.2327ce0000000p-3, -0x1.fadd5c0000000p-4, 0x1.e672de0000000p-4,
                                     -0x1.e492b40000000p-4, 0x1.1c8dfe0000000p-4};
/// (log((1+s)/(1-s)) - 2s) / s^3 in s^2; error 0.011 * 2^-53.
inline constexpr double log_s_c64[] = {0x1.5555555555593p-1, 0x1.999999997f9fdp-2, 0x1.2492494229dbep-2, 0x1.c71c51d839634p-3,
                                       0x1.7466499656381p-3, 0x1.39a0985c4d81fp-3, 0x1.2f1161085c9bep-3};
/// log2(1+f) / f, 1+f in [sqrt 1/2, sqrt 2], for powf; error 4.2e+4 * 2^-53.
inline constexpr double log2_pow_c64[] = {0x1.71547652b58ffp+0, -0x1.71547651b03c7p-1, 0x1.ec709de31b65bp-2, -0x1.71547895457e0p-2,
                                          0x1.2776b6f00b5e5p-2, -0x1.ec6f27370f1d1p-3, 0x1.a61b686f4e81ep-3, -0x1.718981fd655b7p-3,
                                          0x1.48224237b3086p-3, -0x1.23cfc740536ddp-3, 0x1.0aac60a8d4ab9p-3, -0x1.13bd7166e2222p-3,
                                          0x1.0ffd3478864b5p-3, -0x1.1eeb953177986p-4};
/// (2^r - 1) / r, |r| <= 1/2, for powf; error 2.1e+6 * 2^-53.
inline constexpr double exp2_pow_c64[] = {0x1.62e4300b9f721p-1,  0x1.ebfbe0457181bp-3,  0x1.c6b0551c1bbe5p-5, 0x1.3b2a1bf6969aep-7,
                                          0x1.5dc051f07efb0p-10, 0x1.443f954186fa4p-13, 0x1.c047c262da721p-17};
/// (log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5 in s^2, for pow; error 1.4e-6 * 2^-53.
inline constexpr double log_pow_c64[] = {0x1.9999999999996p-2, 0x1.2492492492f53p-2, 0x1.c71c71c5962bdp-3, 0x1.745d182993448p-3,
                                         0x1.3b1364b692a6fp-3, 0x1.1120724825e26p-3, 0x1.de3ce9603f695p-4, 0x1.eaca62d6175fap-4};
/// (sin r - r) / r^3 in r^2, |r| <= 0.80; error 0.12 * 2^-24.
inline constexpr double sin_c32[] = {-0x1.5555440000000p-3, 0x1.1106ae0000000p-7, -0x1.99078a0000000p-13};
/// (sin r - r) / r^3 in r^2, |r| <= 0.80; error 0.043 * 2^-53.
inline constexpr double sin_c64[] = {-0x1.5555555555545p-3, 0x1.111111110f26dp-7,   -0x1.a01a019b4e16ap-13,
                                     0x1.71de34cced789p-19, -0x1.ae5ddfc3dcd4dp-26, 0x1.5d6bdcab661b0p-33};
/// (cos r - 1) / r^2 in r^2, |r| <= 0.80; error 0.0021 * 2^-24.
inline constexpr double cos_c32[] = {-0x1.0000000000000p-1, 0x1.55554a0000000p-5, -0x1.6c0c080000000p-10, 0x1.99d83a0000000p-16};
/// (cos r - 1) / r^2 in r^2, |r| <= 0.80; error 0.00058 * 2^-53.
inline constexpr double cos_c64[] = {-0x1.0000000000000p-1,  0x1.5555555555549p-5,  -0x1.6c16c16c14b8dp-10, 0x1.a01a019c19243p-16,
                                     -0x1.27e4f7992fd36p-22, 0x1.1ee99dd5faa90p-29, -0x1.8f8590667aa1fp-37};
/// (tan r - r) / r^3 in r^2, |r| <= 0.80; error 0.031 * 2^-24.
inline constexpr double tan_c32[] = {0x1.5555640000000p-2, 0x1.110c880000000p-3,   0x1.bb0b920000000p-5, 0x1.5ab8440000000p-6,
                                     0x1.6d74320000000p-7, -0x1.4dd9e00000000p-12, 0x1.2c28fc0000000p-8};
/// (tan r - r) / r^3 in r^2, |r| <= 0.80; error 0.21 * 2^-53.
inline constexpr double tan_c64[] = {0x1.555555555549fp-2,   0x1.111111111d9fdp-3,  0x1.ba1ba1b06eda9p-5,   0x1.664f4a63db339p-6,
                                     0x1.226dfe1df7413p-7,   0x1.d6dc005752cbbp-9,  0x1.7d39f9a5c45d9p-10,  0x1.390e73fd18970p-11,
                                     0x1.c5f2bc839b12ap-13,  0x1.3777e9b6c935ep-13, -0x1.68e3f4993637dp-15, 0x1.b64f379542598p-14,
                                     -0x1.bb8bdf3851054p-15, 0x1.7dce5b329f35ep-16};
/// (atan t - t) / t^3 in t^2, |t| <= 1; error 0.045 * 2^-24.
inline constexpr double atan_c32[] = {-0x1.55553e0000000p-2, 0x1.9991e40000000p-3,  -0x1.2420860000000p-3,
                                      0x1.c08c500000000p-4,  -0x1.5809760000000p-4, 0x1.da2df60000000p-5,
                                      -0x1.fd8eb80000000p-6, 0x1.6443bc0000000p-7,  -0x1.d3ae3c0000000p-10};
/// (atan t - t) / t^3 in t^2, |t| <= 1; error 0.28 * 2^-53.
inline constexpr double atan_c64[] = {-0x1.555555555544cp-2,  0x1.999999998410dp-3,  -0x1.2492491fa2058p-3, 0x1.c71c709e1699cp-4,
                                      -0x1.745d0230c8a28p-4,  0x1.3b12b2e61e4a4p-4,  -0x1.11089cec8a567p-4, 0x1.e178163359271p-5,
                                      -0x1.ad32b5ff55ab0p-5,  0x1.7ee3e8577ce5dp-5,  -0x1.4f44ffe5721a0p-5, 0x1.17159b41cf50ap-5,
                                      -0x1.a725f106cdb77p-6,  0x1.162b7332c5c04p-6,  -0x1.2cf61f02e75b3p-7, 0x1.f969ade633313p-9,
                                      -0x1.3127b8c0213ddp-10, 0x1.d3b60943ef7a0p-13, -0x1.53e129d51f8b7p-16};
/// (asin t - t) / t^3 in t^2, |t| <= 1/2; error 0.092 * 2^-24.
inline constexpr double asin_c32[] = {0x1.5555c80000000p-3, 0x1.3302040000000p-4, 0x1.747c660000000p-5, 0x1.8c2abc0000000p-6,
                                      0x1.597bb60000000p-5};
/// (asin t - t) / t^3 in t^2, |t| <= 1/2; error 0.13 * 2^-53.
inline constexpr double asin_c64[] = {0x1.5555555555390p-3, 0x1.333333336e82dp-4, 0x1.6db6db4278106p-5,  0x1.f1c72c39f607fp-6,
                                      0x1.6e89f423c38b4p-6, 0x1.1c6be38dccd91p-6, 0x1.c6fd9824bb89cp-7,  0x1.8ec423a0e9b4dp-7,
                                      0x1.abc4ba66ab0f3p-8, 0x1.3ffc591ce0bafp-6, -0x1.09dfcd5ac207ep-6, 0x1.0571f1111cdcap-5};
/// erf(x) / x - 1 in x^2, |x| <= 1; error 0.024 * 2^-24.
inline constexpr double erf_small_c32[] = {0x1.06eba80000000p-3, -0x1.81273e0000000p-2,  0x1.ce2ce60000000p-4, -0x1.b7f71a0000000p-6,
                                           0x1.53f2240000000p-8, -0x1.a3515e0000000p-11, 0x1.4772020000000p-14};
/// erf(x) / x - 1 in x^2, |x| <= 1; error 0.1 * 2^-53.
inline constexpr double erf_small_c64[] = {0x1.06eba8214db69p-3,  -0x1.812746b037a25p-2,  0x1.ce2f21a0458d1p-4,  -0x1.b82ce313548fap-6,
                                           0x1.565bcd2c552e3p-8,  -0x1.c02db92fee941p-11, 0x1.f9a3b8e3fa630p-14, -0x1.f4dce7b997865p-17,
                                           0x1.ba688a5d7be67p-20, -0x1.638bc0294ba1ap-23, 0x1.130378f0dd549p-26, -0x1.c3f940d38fd7dp-30,
                                           0x1.3a8c9c0d0bda8p-33};
/// erf(c + t), c = 2.35101..., 0.94 <= c + t <= 3.92; error 0.063 * 2^-24.
inline constexpr double erf_large_c32[] = {0x1.ff8c0a0000000p-1,   0x1.2616920000000p-8,   -0x1.59b3980000000p-7, 0x1.eccff20000000p-7,
                                           -0x1.d012660000000p-7,  0x1.20971a0000000p-7,   -0x1.99b1500000000p-9, 0x1.082f440000000p-19,
                                           0x1.5f8c8a0000000p-11,  -0x1.6faf480000000p-12, 0x1.685e740000000p-15, 0x1.4d49660000000p-15,
                                           -0x1.5292020000000p-16, 0x1.09c9660000000p-20,  0x1.c2dac80000000p-20, -0x1.8d5c6a0000000p-22};
/// (1 + 2a) e^(a^2) erfc(a) in t = (a - 4)/(a + 4), 0 <= a <= 28; error 0.82 * 2^-24.
inline constexpr double erfcx_c32[] = {0x1.3ba5920000000p+0,  -0x1.1df1840000000p-3, 0x1.f7de2e0000000p-7,   0x1.16e3960000000p-4,
                                       -0x1.9db55c0000000p-4, 0x1.8041dc0000000p-4,  -0x1.10501e0000000p-4,  0x1.2de7e40000000p-5,
                                       -0x1.05ab880000000p-6, 0x1.6eb5480000000p-8,  -0x1.95656e0000000p-11, -0x1.33fb6a0000000p-11};
/// (1 + 2a) e^(a^2) erfc(a) in t = (a - 4)/(a + 4), 0 <= a <= 28; error 0.42 * 2^-53.
inline constexpr double erfcx_c64[] = {0x1.3ba5916e9fd7fp+0,   -0x1.1df1ad154a2a6p-3,  0x1.f7f5df66fb5d0p-7,   0x1.16ecefcfa6762p-4,
                                       -0x1.9ddb23c3da9d9p-4,  0x1.7fee004decfb1p-4,   -0x1.0fb06dff7f9c9p-4,  0x1.3079edfa5938dp-5,
                                       -0x1.0962384f21b34p-6,  0x1.49c671b872104p-8,   -0x1.8d4ac5df0d50bp-11, -0x1.a1decbf542c66p-13,
                                       0x1.3be3077f08415p-13,  -0x1.995d319f68e06p-16, -0x1.78f814b46d1ffp-17, 0x1.7f1631f591980p-18,
                                       0x1.510ef06ada738p-22,  -0x1.b7c8425718976p-21, 0x1.dbec3e2643897p-25,  0x1.b12e94790b502p-24,
                                       -0x1.1d28867721f89p-27, -0x1.1a35db849f62dp-27, 0x1.77dd23caf6036p-34};
/// e^(a^2) erfc(a) in t = (a - 2.5)/(a + 2.5), 1 <= a <= 6; error 0.0017 * 2^-53.
inline constexpr double erf_tail_c64[] = {0x1.afbb3f3b7343ap-3,  -0x1.7ca88dec217bfp-2,  0x1.01c11a735cdb1p-2,   -0x1.00115437108a3p-3,
                                          0x1.470ba1f7b1d0fp-5,  -0x1.05bb2fead924cp-8,  -0x1.5a571d5adf1fdp-9,  0x1.cb3aa51b813a3p-11,
                                          0x1.deee5f35b9073p-13, -0x1.0e147a3224887p-13, -0x1.193ffc173acebp-15, 0x1.5b04ad95dc8c3p-16,
                                          0x1.7ac7814d61f86p-17, 0x1.98b123f5b44ebp-20};
/// (sinh x - x) / x^3 in x^2, |x| <= 1; error 0.006 * 2^-24.
inline constexpr double sinh_c32[] = {0x1.5555560000000p-3, 0x1.1110e00000000p-7, 0x1.a022bc0000000p-13, 0x1.756fe20000000p-19};
/// (sinh x - x) / x^3 in x^2, |x| <= 1; error 0.001 * 2^-53.
inline constexpr double sinh_c64[] = {0x1.5555555555555p-3,  0x1.111111111119bp-7,  0x1.a01a01a007360p-13, 0x1.71de3a68cf83bp-19,
                                      0x1.ae644123a9ca0p-26, 0x1.61314c8f87e34p-33, 0x1.a665d07a974d6p-41, 0x1.d28f4988f7caep-48};
/// Tables of tanh, see hyperbolic.h: centre, c0 to c7; error 0.09 * 2^-24.
inline constexpr LookupTable tanh_c32[] = {
    {0x0.0p+0f, 0x1.b580980000000p-2f, 0x1.b37d3a0000000p-1f, 0x1.72429c0000000p+0f, 0x1.2810960000000p+1f, 0x1.bffdc00000000p+1f,
     0x1.645c980000000p+2f, 0x1.03ae760000000p+3f},
    {0x0.0p+0f, 0x1.9cb10e0000000p-2f, 0x1.61fa840000000p-1f, 0x1.ca38cc0000000p-1f, 0x1.f611880000000p-1f, 0x1.ff11240000000p-1f,
     0x1.fffc2e0000000p-1f, 0x1.fffffa0000000p-1f},
    {0x0.0p+0f, 0x1.acd6b40000000p-1f, 0x1.0b45960000000p-1f, 0x1.97a1720000000p-3f, 0x1.3ab9f60000000p-5f, 0x1.dd48a00000000p-9f,
     0x1.e8f4ce0000000p-15f, 0x1.7f93000000000p-22f},
    {0x0.0p+0f, -0x1.59a90a0000000p-2f, -0x1.71909e0000000p-2f, -0x1.6cd0800000000p-3f, -0x1.349e440000000p-5f, -0x1.dc70b20000000p-9f,
     -0x1.e8499e0000000p-15f, -0x1.79e6e80000000p-22f},
    {-0x1.55550a0000000p-2f, -0x1.252b540000000p-3f, 0x1.3548be0000000p-4f, 0x1.7d3df60000000p-4f, 0x1.8b6fea0000000p-6f,
     0x1.3c72de0000000p-9f, 0x1.4697a80000000p-15f, 0x1.037de60000000p-22f},
    {-0x1.692f000000000p-15f, 0x1.5c8dea0000000p-3f, 0x1.171aca0000000p-4f, -0x1.8828ca0000000p-6f, -0x1.6c5cce0000000p-7f,
     -0x1.397ebc0000000p-10f, -0x1.4eadd20000000p-16f, -0x1.26d9d20000000p-23f},
    {0x1.1245640000000p-3f, -0x1.2761ca0000000p-9f, -0x1.f093980000000p-5f, -0x1.55747e0000000p-8f, 0x1.e6da140000000p-9f,
     0x1.ef25980000000p-12f, 0x1.e75f560000000p-18f, 0x1.3794f60000000p-25f},
    {-0x1.d2024c0000000p-9f, -0x1.fe59240000000p-5f, 0x1.46c6ce0000000p-7f, 0x1.22155a0000000p-7f, -0x1.7194d60000000p-11f,
     -0x1.5245400000000p-13f, -0x1.f9b34e0000000p-20f, -0x1.bd824e0000000p-29f},
    {-0x1.738db80000000p-5f, 0x1.4dfa6c0000000p-6f, 0x1.a6e1be0000000p-7f, -0x1.147bb00000000p-8f, -0x1.455c9e0000000p-14f,
     0x1.5f6e980000000p-15f, 0x1.c0ecbe0000000p-20f, 0x1.06b1f00000000p-26f}};

}  // namespace voxloom::ops::vm
