// tests/io/header_test.cpp: headers and orientation against nifticlib as the second decoder; fields survive a round trip; propagation.
#include "corpus.h"

#include <voxloom/io/propagate.h>

#include <nifti2_io.h>
#include <catch2/catch.hpp>
#include <cmath>

using namespace io_test;

namespace {

struct Image {
  nifti_image* nim;
  explicit Image(const std::string& path) {
    nifti_set_debug_level(0);
    nim = nifti_image_read(path.c_str(), 1);
  }
  ~Image() { nifti_image_free(nim); }
};

NiftiHeader full_header(int version) {
  NiftiHeader h = make_header({5, 4, 3, 2}, f32, version);
  h.pixdim = {-1, 1.5, 2, 2.5, 3, 0, 0, 0};
  h.qform_code = 1;
  h.sform_code = 3;
  h.quatern = {0.1, -0.2, 0.3};
  h.qoffset = {-10, 20, 30.5};
  h.srow = {{{-2, 0.25, 0, 90}, {0.125, 3, -0.5, -126}, {0, 0.5, 4, -72}}};
  h.toffset = 1.25;
  h.slice_code = 3;
  h.slice_end = 2;
  h.slice_duration = 0.5;
  h.dim_info = 0x39;
  h.xyzt_units = 10;
  h.intent_code = 1001;
  h.intent_p = {1, 2, 3};
  h.intent_name = "name";
  h.descrip = "a description";
  h.aux_file = "aux";
  h.cal_min = -1;
  h.cal_max = 4;
  h.extensions = {{6, text_bytes("a comment")}, {4, random_bytes(1000, 1)}};
  return h;
}

double largest_difference(const Matrix44& a, const nifti_dmat44& b) {
  double worst = 0;
  for (size_t r = 0; r < 4; ++r)
    for (size_t c = 0; c < 4; ++c) worst = std::max(worst, std::abs(a[r][c] - b.m[r][c]));
  return worst;
}

std::array<double, 3> world_of(const NiftiHeader& h, double x, double y, double z) {
  const Matrix44 m = h.affine();
  std::array<double, 3> p{};
  for (size_t r = 0; r < 3; ++r) p[r] = m[r][0] * x + m[r][1] * y + m[r][2] * z + m[r][3];
  return p;
}

void check_close(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  for (size_t i = 0; i < 3; ++i) CHECK(a[i] == Approx(b[i]).margin(1e-5));
}

}  // namespace

TEST_CASE("nifticlib reads from our files what we wrote") {
  const TempDir dir;
  for (const int version : {1, 2}) {
    for (const char* suffix : {".nii", ".nii.gz", ".hdr"}) {
      const NiftiHeader h = full_header(version);
      const Bytes voxels = random_bytes(120 * 4, 6);
      Bytes finite = voxels;  // nifticlib replaces NaN and Inf by 0
      for (size_t i = 0; i < 120; ++i) put<float>(finite, 4 * i, static_cast<float>(i) * 0.37F - 5);
      save(dir / ("a" + std::string(suffix)), h, finite);
      const Image image(dir / ("a" + std::string(suffix)));
      INFO("NIfTI-" << version << suffix);
      REQUIRE(image.nim != nullptr);
      const nifti_image& n = *image.nim;
      CHECK(n.ndim == 4);
      CHECK(std::vector<int64_t>{n.nx, n.ny, n.nz, n.nt} == h.dims);
      CHECK(n.datatype == 16);
      CHECK(n.dx == 1.5);
      CHECK(n.dt == 3);
      CHECK(n.qform_code == 1);
      CHECK(n.sform_code == 3);
      CHECK(largest_difference(h.sform(), n.sto_xyz) == 0);
      CHECK(largest_difference(h.qform(), n.qto_xyz) < 1e-6);
      CHECK(n.toffset == 1.25);
      CHECK(n.slice_code == 3);
      CHECK(n.slice_end == 2);
      CHECK(n.freq_dim == 1);
      CHECK(n.phase_dim == 2);
      CHECK(n.slice_dim == 3);
      CHECK(n.xyz_units == 2);
      CHECK(n.time_units == 8);
      CHECK(n.intent_code == 1001);
      CHECK(std::string(n.intent_name) == "name");
      CHECK(std::string(n.descrip) == "a description");
      CHECK(n.cal_max == 4);
      REQUIRE(n.num_ext == 2);
      CHECK(n.ext_list[0].ecode == 6);
      CHECK(std::string(n.ext_list[0].edata) == "a comment");
      CHECK(n.ext_list[1].esize == 1008);
      CHECK(n.iname_offset % 16 == 0);
      CHECK(std::memcmp(n.data, finite.data(), finite.size()) == 0);
    }
  }
}

TEST_CASE("all fields survive writing and reading") {
  const TempDir dir;
  for (const int version : {1, 2}) {
    const NiftiHeader h = full_header(version);
    save(dir / "a.nii", h, Bytes(480));
    Warnings warnings;
    const NiftiHeader got = read_nifti_header(dir / "a.nii", {}, warnings);
    CHECK(warnings.empty());
    CHECK(got.dims == h.dims);
    CHECK(got.pixdim == h.pixdim);
    CHECK(got.srow == h.srow);
    CHECK(got.qoffset == h.qoffset);
    for (size_t i = 0; i < 3; ++i) CHECK(got.quatern[i] == Approx(h.quatern[i]));
    CHECK(got.toffset == h.toffset);
    CHECK(got.slice_code == 3);
    CHECK(got.slice_duration == 0.5);
    CHECK(got.dim_info == 0x39);
    CHECK(got.xyzt_units == 10);
    CHECK(got.intent_p == h.intent_p);
    CHECK(got.intent_name == "name");
    CHECK(got.aux_file == "aux");
    CHECK(got.cal_min == -1);
    CHECK_FALSE(got.scaled);
    REQUIRE(got.extensions.size() == 2);
    CHECK(got.extensions[0].code == 6);
    CHECK(got.extensions[1] == h.extensions[1]);
    CHECK(got.vox_offset % 16 == 0);
  }
}

TEST_CASE("nifticlib reads the scaling of a file as we do") {
  const TempDir dir;
  Bytes bytes = with<float>(with<float>(sample_image(), nifti1.slope, 0.0754F), nifti1.inter, 3100.76F);
  write_file(dir / "a.nii", bytes);
  const Image image(dir / "a.nii");
  Warnings warnings;
  const NiftiHeader h = read_nifti_header(dir / "a.nii", {}, warnings);
  CHECK(h.scaled);
  CHECK(h.slope == image.nim->scl_slope);
  CHECK(h.inter == image.nim->scl_inter);
}

TEST_CASE("without a code the affine is the centred one with x flipped") {
  NiftiHeader h = make_header({5, 4, 3}, f32);
  h.pixdim = {1, 2, 3, 4, 0, 0, 0, 0};
  CHECK(h.affine() == Matrix44{{{-2, 0, 0, 4}, {0, 3, 0, -4.5}, {0, 0, 4, -4}, {0, 0, 0, 1}}});
  CHECK(orientation_of(h.affine()) == "LAS");
  h.sform_code = 1;
  h.srow = {{{0, 0, 2, 0}, {-2, 0, 0, 0}, {0, 2, 0, 0}}};
  CHECK(orientation_of(h.affine()) == "PSR");
}

TEST_CASE("slices leave every voxel where it was in the world") {
  for (const int codes : {0, 1, 2, 3}) {  // bit 0: qform, bit 1: sform
    NiftiHeader h = full_header(1);
    h.qform_code = codes & 1;
    h.sform_code = codes >> 1;
    for (size_t axis = 0; axis < 3; ++axis) {
      for (const int64_t step : {1, 2, -1, -2}) {
        const int64_t n = h.dims[axis];
        const int64_t start = step > 0 ? 1 : n - 1, count = std::max<int64_t>(1, (n - 1 + std::abs(step) - 1) / std::abs(step));
        const NiftiHeader s = slice_axis(h, axis, start, step, count);
        INFO("codes " << codes << " axis " << axis << " step " << step);
        CHECK(s.dims[axis] == count);
        CHECK(s.pixdim[axis + 1] == h.pixdim[axis + 1] * static_cast<double>(std::abs(step)));
        std::array<double, 3> old{0.5, 0.25, 1}, now = old;
        old[axis] = static_cast<double>(start) + static_cast<double>(step) * now[axis];
        check_close(world_of(s, now[0], now[1], now[2]), world_of(h, old[0], old[1], old[2]));
        NiftiHeader only_q = s, old_q = h;
        only_q.sform_code = old_q.sform_code = 0;
        only_q.qform_code = old_q.qform_code = 1;
        check_close(world_of(only_q, now[0], now[1], now[2]), world_of(old_q, old[0], old[1], old[2]));
        CHECK(s.extensions == h.extensions);
        CHECK(s.slice_code == (axis == 2 ? 0 : 3));
      }
    }
  }
}

TEST_CASE("slices and reductions along time") {
  const NiftiHeader h = full_header(1);
  const NiftiHeader s = slice_axis(h, 3, 1, 2, 1);
  CHECK(s.toffset == 1.25 + 3);
  CHECK(s.pixdim[4] == 6);
  CHECK(s.affine() == h.affine());
  const NiftiHeader mean = remove_axis(h, 3);
  CHECK(mean.dims == std::vector<int64_t>{5, 4, 3});
  CHECK(mean.pixdim[4] == 0);
  CHECK(mean.toffset == 0);
  CHECK(mean.slice_code == 0);
  CHECK(mean.affine() == h.affine());
  CHECK(mean.descrip == h.descrip);
  NiftiHeader five = h;
  five.dims = {5, 4, 3, 2, 6};
  five.pixdim[5] = 9;
  CHECK(remove_axis(five, 3).dims == std::vector<int64_t>{5, 4, 3, 6});
  CHECK(remove_axis(five, 3).pixdim[4] == 9);
  CHECK(remove_axis(h, 2).dims == std::vector<int64_t>{5, 4, 1, 2});
  CHECK(set_extent(mean, 3, 10).dims == std::vector<int64_t>{5, 4, 3, 10});
  NiftiHeader ones = h;
  ones.dims = {5, 4, 1, 1, 1};
  CHECK(drop_trailing_ones(ones).dims == std::vector<int64_t>{5, 4, 1});
}

TEST_CASE("permuted axes leave every voxel where it was in the world") {
  const NiftiHeader h = full_header(1);
  for (const int form : {0, 1, 2}) {
    NiftiHeader old = h;
    old.qform_code = form == 1;
    old.sform_code = form == 2;
    const std::array<size_t, 3> order{2, 0, 1};
    const NiftiHeader p = permute_space(old, order);
    CHECK(p.dims == std::vector<int64_t>{3, 5, 4, 2});
    CHECK(p.pixdim[1] == h.pixdim[3]);
    CHECK(p.dim_info == (2 | 3 << 2 | 1 << 4));
    check_close(world_of(p, 2, 3, 1), world_of(old, 3, 1, 2));
    CHECK(same_grid(permute_space(p, {1, 2, 0}), old));
  }
}

TEST_CASE("grids are the same within a thousandth of a voxel at the corners") {
  NiftiHeader a = make_header({100, 100, 50}, f32), b = a;
  a.sform_code = b.sform_code = 1;
  a.srow = b.srow = {{{2, 0, 0, -90}, {0, 2, 0, -126}, {0, 0, 2, -72}}};
  CHECK(same_grid(a, b));
  b.srow[0][3] += 0.0018;  // 0.0009 voxels
  CHECK(same_grid(a, b));
  b.srow[0][3] += 0.0004;
  CHECK_FALSE(same_grid(a, b));
  b = a;
  b.srow[1][0] = 2.2 / 99 * 1e-3;  // a shear: nothing at the origin, 1.1e-3 voxels at the far corner
  CHECK(contains(grid_difference(a, b), "at corner (99, "));
  b = a;
  b.dims[2] = 51;
  CHECK(contains(grid_difference(a, b), "100 x 100 x 50 differ from 100 x 100 x 51"));
  b = a;
  b.dims.push_back(20);
  CHECK(same_grid(a, b));
  CHECK(same_grid(with_grid(make_header({3, 3, 3, 7}, u8), a), a));
}

TEST_CASE("pair headers without a room for extensions, and NIfTI-2 for what NIfTI-1 cannot hold") {
  NiftiHeader h = make_header({4}, u8);
  h.pair = true;
  Warnings warnings;
  CHECK(serialise_nifti_header(h, "a.hdr", warnings).size() == 352);
  CHECK(h.vox_offset == 0);
  h.pair = false;
  CHECK(serialise_nifti_header(h, "a.nii", warnings).size() == 352);
  CHECK(warnings.empty());
  h.slice_end = 40000;
  CHECK(serialise_nifti_header(h, "a.nii", warnings).size() == 544);
  CHECK(warnings.size() == 1);
}
