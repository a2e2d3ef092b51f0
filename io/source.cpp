// io/source.cpp: opening an image: which file is the header, which holds the voxels, and is either of them compressed.
#include <voxloom/io/file_source.h>
#include <voxloom/io/gzip_reader.h>
#include <voxloom/io/npy.h>
#include <voxloom/io/source.h>
#include <voxloom/runtime/limits.h>

#include <unistd.h>
#include <algorithm>
#include <cstring>

namespace voxloom::io {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// The first bytes of a file, `most` of them if it has as many.
std::vector<std::byte> head_of(const File& file, size_t most) {
  std::vector<std::byte> head(static_cast<size_t>(std::min(file.size(), static_cast<int64_t>(most))));
  file.read_at(head.data(), head.size(), 0);
  return head;
}

bool is_gzip(const File& file) {
  const std::vector<std::byte> magic = head_of(file, 2);
  return magic.size() == 2 && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b};
}

void warn_if_misnamed(const std::string& path, bool gzip, const Reporter& report) {
  if (gzip == ends_with(path, ".gz")) return;
  report.warn(gzip ? "is gzip data without .gz in its name; it is decompressed"
                   : "is not gzip data in spite of its name; it is read as it is");
}

// Delivers the first bytes of a file, compressed or not, then what follows them, in order.
class HeadReader {
 public:
  HeadReader(const File& file, bool gzip) : file_(file) {
    if (gzip) gzip_ = std::make_unique<GzipReader>(file);
    head_.resize(largest_fixed_header);
    head_.resize(more(head_.data(), head_.size()));
  }
  std::span<const std::byte> head() const { return head_; }
  void seek_in_head(size_t at) { at_ = at; }
  size_t next(std::byte* dst, size_t n) {
    const size_t from_head = std::min(n, head_.size() - at_);
    std::memcpy(dst, head_.data() + at_, from_head);
    at_ += from_head;
    return from_head + (from_head < n ? more(dst + from_head, n - from_head) : 0);
  }

 private:
  size_t more(std::byte* dst, size_t n) {
    if (gzip_) return gzip_->read(dst, n);
    const auto piece = static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(n), file_.size() - offset_));
    file_.read_at(dst, piece, offset_);
    offset_ += static_cast<int64_t>(piece);
    return piece;
  }

  const File& file_;
  std::unique_ptr<GzipReader> gzip_;
  std::vector<std::byte> head_;
  size_t at_ = 0;
  int64_t offset_ = 0;
};

NiftiHeader read_header_of(const File& file, bool gzip, bool strict, Warnings& warnings) {
  const HeaderContext context{file.path(), file.size(), gzip, strict};
  HeadReader reader(file, gzip);
  NiftiHeader header = parse_nifti_header(reader.head(), context, warnings);
  reader.seek_in_head(header.version == 1 ? 348 : 540);
  read_extensions(header, context, warnings, [&](std::byte* dst, size_t n) { return reader.next(dst, n); });
  return header;
}

// "a/b.hdr.gz", ".hdr" -> "a/b", plain or compressed; empty if the name has another suffix.
std::string stem_of(const std::string& path, const std::string& suffix) {
  for (const std::string& end : {suffix, suffix + ".gz"}) {
    if (ends_with(path, end)) return path.substr(0, path.size() - end.size());
  }
  return {};
}

// The partner of one file of a pair: the same compression first, then the other.
std::string partner_of(const std::string& path, const std::string& own, const std::string& other) {
  const std::string stem = stem_of(path, own);
  const bool gzip = ends_with(path, ".gz");
  std::string first = stem + other + (gzip ? ".gz" : ""), second = stem + other + (gzip ? "" : ".gz");
  if (access(first.c_str(), F_OK) == 0) return first;
  if (access(second.c_str(), F_OK) == 0) return second;
  fail_field(path, own == ".hdr" ? "voxel file" : "header file", printable_path(first) + ", which does not exist",
             "the other file of the pair");
}

struct Opened {
  File file;  // of the voxels
  bool gzip = false;
  NiftiHeader header;
  FileId header_id;
  std::optional<Order> array = {};  // of a file that is no image: the header then says where its elements lie, fastest axis first
};

Opened open_array(File file) {
  const NpyHeader npy = parse_npy_header(head_of(file, largest_npy_header), file.size(), file.path());
  if (npy.shape.size() > static_cast<size_t>(max_rank)) {
    fail_field(file.path(), "shape", std::to_string(npy.shape.size()) + " axes", "at most " + std::to_string(max_rank));
  }
  NiftiHeader layout;
  layout.dtype = npy.dtype;
  layout.swapped = npy.swapped;
  layout.vox_offset = npy.data_offset;
  layout.dims = npy.shape;
  if (!npy.fortran) std::reverse(layout.dims.begin(), layout.dims.end());
  const FileId id = file.id();
  return {std::move(file), false, std::move(layout), id, npy.fortran ? Order::F : Order::C};
}

Opened open_pair(const std::string& header_path, const FileId& header_id, NiftiHeader header, bool strict, Warnings& warnings) {
  Opened result;
  result.header_id = header_id;
  const std::string path = partner_of(header_path, ".hdr", ".img");
  result.file = File::open_read(path);
  result.gzip = is_gzip(result.file);
  result.header = std::move(header);
  warn_if_misnamed(path, result.gzip, Reporter(path, warnings, strict));
  check_data_fits(result.header, {path, result.file.size(), result.gzip, strict});
  return result;
}

Opened open_image(const std::string& path, bool strict, Warnings& warnings) {
  const bool is_voxel_file = !stem_of(path, ".img").empty();
  const std::string header_path = is_voxel_file ? partner_of(path, ".img", ".hdr") : path;
  File file = File::open_read(header_path);
  if (is_npy(head_of(file, 6))) return open_array(std::move(file));
  const bool gzip = is_gzip(file);
  warn_if_misnamed(header_path, gzip, Reporter(header_path, warnings, strict));
  NiftiHeader header = read_header_of(file, gzip, strict, warnings);
  if (header.pair) {
    if (stem_of(header_path, ".hdr").empty()) {
      fail_field(header_path, "magic", "\"ni" + std::to_string(header.version) + "\", the header of a pair",
                 "\"n+" + std::to_string(header.version) + "\" in a file that is not named .hdr");
    }
    return open_pair(header_path, file.id(), std::move(header), strict, warnings);
  }
  const FileId id = file.id();
  return {std::move(file), gzip, std::move(header), id};
}

}  // namespace

std::shared_ptr<BlockSource> open_source(const std::string& path, const SourceOptions& options, Warnings& warnings) {
  Opened image = open_image(path, options.strict, warnings);
  const SourceIdentity identity{image.file.id(), image.header_id, options.strict};
  if (image.gzip) return make_gzip_source(std::move(image.file), std::move(image.header), identity);
  return make_raw_source(std::move(image.file), std::move(image.header), identity, image.array);
}

void check_expansion(const BlockSource& source, int64_t memory) {
  constexpr int64_t plausible_ratio = 256;
  const SourceInfo& info = source.info();
  if (!info.in_order_only) return;
  const int64_t declared = info.bytes + source.header()->vox_offset;
  if (declared <= std::max(memory, GiB(4)) || declared / plausible_ratio <= info.disk_bytes) return;
  fail_runtime(ErrorCode::limit, printable_path(info.path),
               "declares " + format_size(declared) + " in " + format_size(info.disk_bytes) + " of compressed data, more than " +
                   std::to_string(plausible_ratio) + " times as much; if that is meant, raise the memory limit to " +
                   std::to_string(declared) + " bytes or decompress the file first");
}

NiftiHeader read_nifti_header(const std::string& path, const SourceOptions& options, Warnings& warnings) {
  Opened image = open_image(path, options.strict, warnings);
  if (image.array) fail_input(path, "is a NumPy array (.npy), not an image");
  return std::move(image.header);
}

}  // namespace voxloom::io
