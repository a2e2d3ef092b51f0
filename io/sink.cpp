// io/sink.cpp: the uncompressed and the compressed sink, and the choice between them by suffix; arrays are written like voxels.
#include <voxloom/io/gzip_writer.h>
#include <voxloom/io/npy.h>
#include <voxloom/io/sink.h>
#include <voxloom/io/voxel_form.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace voxloom::io {

BlockSink::~BlockSink() = default;

namespace {

constexpr int64_t interleaved_voxels = int64_t{256} << 10;

struct Names {
  std::string voxels, header;  // header is empty for a single file
  bool gzip = false;
};

Names names_of(const std::string& path) {
  std::string stem = path;
  Names names;
  if (stem.ends_with(".gz")) {
    names.gzip = true;
    stem.resize(stem.size() - 3);
  }
  const std::string end = names.gzip ? ".gz" : "";
  if (stem.ends_with(".nii")) {
    names.voxels = path;
  } else if (stem.ends_with(".hdr") || stem.ends_with(".img")) {
    stem.resize(stem.size() - 4);
    names.voxels = stem + ".img" + end;
    names.header = stem + ".hdr" + end;
  } else {
    const size_t slash = path.rfind('/');
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    const size_t dot = name.find('.');
    fail_field(path, "suffix", dot == std::string::npos ? "none" : escape_text(name.substr(dot)), ".nii .nii.gz .hdr .img .hdr.gz .img.gz",
               ErrorCode::usage);
  }
  return names;
}

AtomicFileOptions file_options(const SinkOptions& options) { return {options.no_fsync, options.no_clobber}; }

// Writes the voxels' file; the header's file of a pair is written at commit, and renamed last.
class FileSink : public BlockSink {
 public:
  FileSink(const Names& names, NiftiHeader header, const SinkOptions& options, std::vector<std::byte> prefix)
      : header_(std::move(header)),
        shape_(header_.shape()),
        options_(options),
        voxels_(names.voxels, file_options(options)),
        prefix_(std::move(prefix)) {
    if (!names.header.empty()) header_file_ = std::make_unique<AtomicFile>(names.header, file_options(options));
  }
  const NiftiHeader* header() const override { return &header_; }

  void commit() override {
    internal_check(elements_ == Box::whole(shape_).count(), "every voxel is written before commit");
    finish_voxels();
    if (header_file_) write_header_file();
    voxels_.seal();
    voxels_.commit();
    if (header_file_) header_file_->commit();
  }

 protected:
  virtual void finish_voxels() = 0;
  bool single() const { return header_file_ == nullptr; }
  const std::vector<std::byte>& prefix() const { return prefix_; }

  // Calls put(offset in the voxels' file, bytes, n) for the runs of a block.
  template <class Put> void write_runs(const Box& box, const std::byte* src, Put&& put) {
    check_box(box, shape_);
    if (box.count() == 0) return;
    const int64_t item = header_.voxel_bytes();
    const bool interleave = header_.form == VoxelForm::channels;
    if (interleave) internal_check(box.extent.back() == header_.channels, "a block of an RGB image holds all channels");
    std::vector<std::byte> scratch;
    for_each_run(voxel_box(header_, box), header_.dims, [&](int64_t first, int64_t count, int64_t at) {
      if (!interleave) return put(header_.vox_offset + first * item, src + at * item, static_cast<size_t>(count * item));
      for (int64_t done = 0; done < count; done += interleaved_voxels) {
        const int64_t piece = std::min(count - done, interleaved_voxels);
        scratch.resize(static_cast<size_t>(piece * item));
        interleave_channels(header_, box, src, piece, at + done, scratch.data());
        put(header_.vox_offset + (first + done) * item, scratch.data(), scratch.size());
      }
    });
    elements_ += box.count();
  }

  NiftiHeader header_;
  std::vector<int64_t> shape_;
  SinkOptions options_;
  AtomicFile voxels_;

 private:
  void write_header_file() {
    if (header_file_->path().ends_with(".gz")) {
      GzipWriter writer(*header_file_, options_.gzip_level, 0);
      writer.write(prefix_.data(), prefix_.size());
      writer.finish();
    } else {
      header_file_->write_at(prefix_.data(), prefix_.size(), 0);
    }
    header_file_->seal();
  }

  std::vector<std::byte> prefix_;
  std::unique_ptr<AtomicFile> header_file_;
  std::atomic<int64_t> elements_{0};
};

class RawSink : public FileSink {
 public:
  using FileSink::FileSink;
  bool in_order_only() const override { return false; }
  int64_t buffer_bytes() const override { return header_.form == VoxelForm::plain ? 0 : interleaved_voxels * header_.voxel_bytes(); }
  void write(const Box& box, const std::byte* src) override {
    write_runs(box, src, [&](int64_t offset, const std::byte* bytes, size_t n) { voxels_.write_at(bytes, n, offset); });
  }

 private:
  void finish_voxels() override {
    if (single()) voxels_.write_at(prefix().data(), prefix().size(), 0);
  }
};

/// `layout` tells how the elements lie, fastest axis first.
class NpySink final : public RawSink {
 public:
  NpySink(const std::string& path, NiftiHeader layout, Order order, const SinkOptions& options, std::vector<std::byte> prefix)
      : RawSink({path, "", false}, std::move(layout), options, std::move(prefix)), order_(order) {}
  const NiftiHeader* header() const override { return nullptr; }
  void write(const Box& box, const std::byte* src) override { RawSink::write(order_ == Order::C ? reversed(box) : box, src); }

 private:
  Order order_;
};

class GzipSink final : public FileSink {
 public:
  GzipSink(const Names& names, NiftiHeader header, const SinkOptions& options, std::vector<std::byte> bytes)
      : FileSink(names, std::move(header), options, std::move(bytes)), writer_(voxels_, options.gzip_level, options.threads) {
    if (single()) writer_.write(prefix().data(), prefix().size());
    position_ = header_.vox_offset;
  }
  bool in_order_only() const override { return true; }
  int64_t buffer_bytes() const override { return GzipWriter::buffer_bytes(options_.threads); }
  void write(const Box& box, const std::byte* src) override {
    write_runs(box, src, [&](int64_t offset, const std::byte* bytes, size_t n) {
      internal_check(offset == position_, "blocks of a compressed file come in order");
      writer_.write(bytes, n);
      position_ += static_cast<int64_t>(n);
    });
  }

 private:
  void finish_voxels() override { writer_.finish(); }

  GzipWriter writer_;
  int64_t position_ = 0;
};

}  // namespace

std::unique_ptr<BlockSink> create_sink(const std::string& path, NiftiHeader header, const SinkOptions& options, Warnings& warnings) {
  const Names names = names_of(path);
  header.pair = !names.header.empty();
  internal_check(header.form == VoxelForm::plain || header.form == VoxelForm::channels, "128-bit floats are not written");
  std::vector<std::byte> prefix = serialise_nifti_header(header, path, warnings);
  if (names.gzip) return std::make_unique<GzipSink>(names, std::move(header), options, std::move(prefix));
  return std::make_unique<RawSink>(names, std::move(header), options, std::move(prefix));
}

std::unique_ptr<BlockSink> create_npy_sink(const std::string& path, DType dtype, const std::vector<int64_t>& shape, Order order,
                                           const SinkOptions& options) {
  std::vector<std::byte> prefix = serialise_npy_header(dtype, shape, order == Order::F);
  NiftiHeader layout;
  layout.dtype = dtype;
  layout.vox_offset = static_cast<int64_t>(prefix.size());
  layout.dims = shape;
  if (order == Order::C) std::reverse(layout.dims.begin(), layout.dims.end());
  return std::make_unique<NpySink>(path, std::move(layout), order, options, std::move(prefix));
}

int64_t sink_buffer_bytes(const std::string& path, const SinkOptions& options) {
  if (path.ends_with(".npy")) return 0;
  return names_of(path).gzip ? GzipWriter::buffer_bytes(options.threads) : 0;
}

}  // namespace voxloom::io
