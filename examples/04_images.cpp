// examples/04_images.cpp: lesson 4: images. Axes have names, files stream from disk to disk, headers follow the expression.
#include <voxloom/voxloom.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace vl = voxloom;

namespace {

/// A series of 40 volumes of int16: a ramp in time whose slope depends on x.
void write_series(const std::string& path) {
  vl::io::NiftiHeader header;
  header.dims = {8, 9, 10, 40};
  header.pixdim = {1, 3, 3, 3, 2, 1, 1, 1};
  header.set_storage(vl::i16);
  vl::io::Warnings warnings;
  const std::vector<std::byte> head = vl::io::serialise_nifti_header(header, path, warnings);
  std::vector<int16_t> voxels;
  for (int t = 0; t < 40; ++t) {
    for (int k = 0; k < 8 * 9 * 10; ++k) voxels.push_back(static_cast<int16_t>(100 + (k % 8 + 1) * t));
  }
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(head.size()));
  file.write(reinterpret_cast<const char*>(voxels.data()), static_cast<std::streamsize>(voxels.size() * sizeof(int16_t)));
}

}  // namespace

int main() {
  const auto folder = std::filesystem::temp_directory_path() / "voxloom_example_04";
  std::filesystem::create_directories(folder);
  const std::string bold = folder / "bold.nii", z = folder / "z.nii.gz", mean = folder / "mean.nii";
  write_series(bold);

  // open() reads the header; the image is an expression with axes x y z t. Integer voxels compute in float32.
  const auto img = vl::io::open(bold);
  std::printf("%s: %s\n", img.path().c_str(), img.expr().type().str().c_str());
  const auto m = vl::mean(img, "t");
  const auto zscore = (img - m) / vl::std(img, "t");

  // Both files come from one run; 16 MiB are enough, whatever the size of the image.
  vl::io::save_many({{zscore, z}, {m, mean}}, {.memory = vl::MiB(16)});

  // Results in memory come from the same machinery.
  const auto saved = vl::io::open(z);
  const std::vector<vl::Array> checks = vl::io::evaluate_many(
      {vl::max(vl::abs(vl::mean(saved, "t"))), vl::min(vl::std(saved, "t")), vl::index(vl::io::open(mean), {3, 0, 0})});
  const double largest_mean = checks[0].item<double>(), smallest_std = checks[1].item<double>(), value = checks[2].item<double>();
  std::printf("z-score: |mean| <= %g, std >= %g; mean of one voxel %g\n", largest_mean, smallest_std, value);
  const bool right = largest_mean < 1e-6 && std::abs(smallest_std - 1) < 1e-5 && value == 100 + 4 * 19.5 && saved.header().pixdim[4] == 2;
  std::filesystem::remove_all(folder);
  return right ? 0 : 1;
}
