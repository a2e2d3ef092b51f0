// io/nifti_parse.cpp: validation of header bytes that nobody vouches for.
//
// Refused: content that is not NIfTI-1/2; a header shorter than its version's; sizeof_hdr, magic and dim[0] that do not agree on version
// and
// byte order; rank outside 1..7; a dim below 1; voxels of 2^63 bytes or more; an unknown datatype; a vox_offset that is no whole number or
// lies inside the header; voxels beyond the end of the file (compressed: beyond what deflate can expand to).
// Warned about (errors in strict): bitpix against datatype, vox_offset 0, scaling that is not finite, voxel sizes that are none, a
// singular or
// non-finite sform or qform, damaged or too many extensions. Nothing is allocated by what a file declares, only by what it delivers.
#include <voxloom/io/nifti_fields.h>
#include <voxloom/io/nifti_header.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <optional>

namespace voxloom::io {
namespace {

constexpr int64_t largest_bytes = INT64_MAX;
constexpr int64_t most_kept_extension_bytes = int64_t{64} << 20;
constexpr int most_extensions = 4096;
// Deflate cannot expand further than 1032:1.
constexpr int64_t largest_deflate_ratio = 1032;

struct Datatype {
  int code;
  int bits;
  DType dtype;
  VoxelForm form;
  int channels;
};
constexpr std::array<Datatype, 16> datatypes = {{
    {2, 8, DType::u8, VoxelForm::plain, 0},
    {4, 16, DType::i16, VoxelForm::plain, 0},
    {8, 32, DType::i32, VoxelForm::plain, 0},
    {16, 32, DType::f32, VoxelForm::plain, 0},
    {32, 64, DType::c64, VoxelForm::plain, 0},
    {64, 64, DType::f64, VoxelForm::plain, 0},
    {128, 24, DType::u8, VoxelForm::channels, 3},
    {256, 8, DType::i8, VoxelForm::plain, 0},
    {512, 16, DType::u16, VoxelForm::plain, 0},
    {768, 32, DType::u32, VoxelForm::plain, 0},
    {1024, 64, DType::i64, VoxelForm::plain, 0},
    {1280, 64, DType::u64, VoxelForm::plain, 0},
    {1536, 128, DType::f64, VoxelForm::float128, 0},
    {1792, 128, DType::c128, VoxelForm::plain, 0},
    {2048, 256, DType::c128, VoxelForm::complex256, 0},
    {2304, 32, DType::u8, VoxelForm::channels, 4},
}};

struct KnownFormat {
  size_t offset;
  std::string_view magic;
  std::string_view text;
};
constexpr std::array<KnownFormat, 16> other_formats = {{
    {128, "DICM", "DICOM; convert it with dcm2niix"},
    {0, "NRRD", "NRRD; convert it with ANTs' ConvertImage or ITK-SNAP's c3d"},
    {0, "mrtrix image", "MRtrix .mif; convert it with mrconvert"},
    {0, "\x89HDF", "HDF5 or MINC; convert MINC with mnc2nii"},
    {0, "CDF", "netCDF or MINC 1; convert MINC with mnc2nii"},
    {0, std::string_view("\0\0\0\1\0\0", 6), "FreeSurfer MGH; convert it with mri_convert"},
    {0, "\x28\xb5\x2f\xfd", "zstd data; decompress it with zstd -d"},
    {0, "BZh", "bzip2 data; decompress it with bunzip2"},
    {0, "PK\x03\x04", "a zip archive; unpack it"},
    {0, "\x89PNG", "PNG"},
    {0, "ObjectType", "MetaImage; convert it with ITK-SNAP's c3d"},
    {0, "# === DATA DESCRIPTION FILE", "Philips PAR/REC; convert it with dcm2niix"},
    {0, "\ntype", "an AFNI .HEAD; convert the dataset with 3dAFNItoNIFTI"},
    {0, "type ", "an AFNI .HEAD; convert the dataset with 3dAFNItoNIFTI"},
    {0, "TRACK", "TrackVis streamlines, not an image; make a density map with MRtrix's tckmap"},
    {0, "mrtrix tracks", "MRtrix streamlines, not an image; make a density map with tckmap"},
}};

// Raw voxels whose header lies in another file, and DICOM without its preamble: the name is all that tells.
struct KnownSuffix {
  std::string_view suffix, text;
};
constexpr std::array<KnownSuffix, 5> other_suffixes = {{
    {".rec", "Philips PAR/REC; convert it with dcm2niix"},
    {".brik", "an AFNI .BRIK; convert the dataset with 3dAFNItoNIFTI"},
    {".brik.gz", "an AFNI .BRIK; convert the dataset with 3dAFNItoNIFTI"},
    {".dcm", "DICOM; convert it with dcm2niix"},
    {".ima", "DICOM; convert it with dcm2niix"},
}};

bool has_suffix(const std::string& path, std::string_view suffix) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return path.size() >= suffix.size() && std::equal(suffix.begin(), suffix.end(), path.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                                                    [&](char b, char a) { return same(a, b); });
}

bool starts_at(std::span<const std::byte> bytes, size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() && std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

[[noreturn]] void fail_unknown_format(std::span<const std::byte> bytes, const std::string& path) {
  const std::string_view allowed = "NIfTI-1 or NIfTI-2: .nii, .nii.gz, .hdr with .img";
  for (const KnownFormat& format : other_formats) {
    if (starts_at(bytes, format.offset, format.magic)) fail_field(path, "format", format.text, allowed);
  }
  for (const KnownSuffix& format : other_suffixes) {
    if (has_suffix(path, format.suffix)) fail_field(path, "format", format.text, allowed);
  }
  int32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  fail_field(path, "sizeof_hdr", std::to_string(size), "348 or 540; reads NIfTI-1 and NIfTI-2");
}

HeaderKind check_kind(std::span<const std::byte> bytes, const std::string& path) {
  if (starts_at(bytes, 0, "<nifti_image")) {
    fail_field(path, "format", "NIfTI ASCII (.nia)", "NIfTI-1 or NIfTI-2; convert it with nifti_tool");
  }
  const auto truncated = [&](size_t needed) {
    fail_input(path, "truncated header: " + std::to_string(bytes.size()) + " of " + std::to_string(needed) + " bytes");
  };
  if (bytes.size() < 4) truncated(348);
  const HeaderKind kind = sniff_header(bytes);
  if (kind == HeaderKind::none) fail_unknown_format(bytes, path);
  if (bytes.size() < fixed_header_size(kind)) truncated(fixed_header_size(kind));
  return kind;
}

// The magic decides between single file and pair; whatever follows its NUL in NIfTI-2 must be the newline-damage detector.
bool check_magic(const NiftiFields& f, const std::string& path) {
  const std::string_view tail("\r\n\x1a\n", 4);
  const std::string one(f.magic.substr(0, 4));
  const bool tail_right = f.version == 1 || f.magic.substr(4) == tail;
  const std::string single = f.version == 1 ? std::string("n+1\0", 4) : std::string("n+2\0", 4);
  const std::string pair = f.version == 1 ? std::string("ni1\0", 4) : std::string("ni2\0", 4);
  if (tail_right && one == single) return false;
  if (tail_right && one == pair) return true;
  fail_field(path, "magic", "\"" + escape_text(f.magic) + "\"",
             f.version == 1 ? "\"n+1\" or \"ni1\"; ANALYZE 7.5 is not read" : "\"n+2\" or \"ni2\" followed by \\r\\n\\x1a\\n");
}

bool valid_rank(int64_t n) { return n >= 1 && n <= 7; }

int64_t swapped_rank(const NiftiFields& f) {
  if (f.version == 1) return static_cast<int16_t>(__builtin_bswap16(static_cast<uint16_t>(f.dim[0])));
  return static_cast<int64_t>(__builtin_bswap64(static_cast<uint64_t>(f.dim[0])));
}

void take_dims(const NiftiFields& f, const std::string& path, NiftiHeader& h) {
  const int64_t rank = f.dim[0];
  if (!valid_rank(rank)) {
    const bool mixed = valid_rank(swapped_rank(f));
    fail_field(path, "dim[0]", std::to_string(rank), mixed ? "1 to 7; byte order differs from that of sizeof_hdr" : "1 to 7");
  }
  for (size_t i = 1; i <= static_cast<size_t>(rank); ++i) {
    if (f.dim[i] < 1) fail_field(path, "dim[" + std::to_string(i) + "]", std::to_string(f.dim[i]), "1 or more");
    h.dims.push_back(f.dim[i]);
  }
}

const Datatype* find_datatype(int64_t code) {
  const auto it = std::find_if(datatypes.begin(), datatypes.end(), [&](const Datatype& d) { return d.code == code; });
  return it == datatypes.end() ? nullptr : &*it;
}

void take_datatype(const NiftiFields& f, const Reporter& report, NiftiHeader& h) {
  const Datatype* type = find_datatype(f.datatype);
  if (type == nullptr) {
    fail_field(report.path(), "datatype", std::to_string(f.datatype), "2 4 8 16 32 64 128 256 512 768 1024 1280 1536 1792 2048 2304");
  }
  h.datatype = type->code;
  h.dtype = type->dtype;
  h.form = type->form;
  h.channels = type->channels;
  if (f.bitpix != type->bits) {
    report.warn("bitpix = " + std::to_string(f.bitpix) + " does not fit datatype " + std::to_string(type->code) + " of " +
                std::to_string(type->bits) + " bits; datatype is used");
  }
  if (h.form == VoxelForm::float128 || h.form == VoxelForm::complex256) {
    report.warn("datatype = " + std::to_string(type->code) + " holds 128-bit floats; they are read as " + std::string(name_of(h.dtype)));
  }
}

void check_total(const NiftiHeader& h, const std::string& path) {
  int64_t total = h.voxel_bytes();
  for (const int64_t d : h.dims) {
    if (__builtin_mul_overflow(total, d, &total)) {
      std::string dims;
      for (const int64_t e : h.dims) dims += (dims.empty() ? "" : " x ") + std::to_string(e);
      fail_field(path, "dim[1.." + std::to_string(h.dims.size()) + "]", dims, "a product below 2^63 bytes");
    }
  }
}

void take_offset(const NiftiFields& f, const Reporter& report, NiftiHeader& h) {
  const int64_t smallest = h.pair ? 0 : f.version == 1 ? 352 : 544;
  const std::string allowed = h.pair ? "0 or more" : std::to_string(smallest) + " or more";
  int64_t offset = f.vox_offset_int;
  if (f.version == 1) {
    const double value = f.vox_offset;
    if (!(std::isfinite(value) && value == std::floor(value) && std::abs(value) < 9e18)) {
      fail_field(report.path(), "vox_offset", number_text(value), "a whole number of bytes, " + allowed);
    }
    offset = static_cast<int64_t>(value);
    if (offset >= int64_t{1} << 24) {
      report.warn("vox_offset = " + number_text(value) + " is beyond 2^24, where NIfTI-1 cannot hold every offset exactly");
    }
  }
  if (offset == 0 && !h.pair) {
    report.warn("vox_offset = 0 in a single file; " + std::to_string(smallest) + " is used");
    offset = smallest;
  }
  if (offset < smallest) fail_field(report.path(), "vox_offset", std::to_string(offset), allowed);
  h.vox_offset = offset;
}

void take_scaling(const NiftiFields& f, const Reporter& report, NiftiHeader& h) {
  h.slope = 1;
  h.inter = 0;
  if (f.scl_slope == 0 || h.form == VoxelForm::channels) return;
  if (!std::isfinite(f.scl_slope)) {
    report.warn("scl_slope = " + number_text(f.scl_slope) + " is not a number to scale by; values are read unscaled");
    return;
  }
  h.slope = f.scl_slope;
  if (std::isfinite(f.scl_inter)) h.inter = f.scl_inter;
  else report.warn("scl_inter = " + number_text(f.scl_inter) + " is not finite; 0 is used");
  h.scaled = h.slope != 1 || h.inter != 0;
}

void take_geometry(const NiftiFields& f, const Reporter& report, NiftiHeader& h) {
  h.pixdim = f.pixdim;
  for (size_t i = 1; i <= std::min<size_t>(h.dims.size(), 3); ++i) {
    double& size = h.pixdim[i];
    if (std::isfinite(size) && size > 0) continue;
    const double fixed = std::isfinite(size) && size < 0 ? -size : 1;
    report.warn("pixdim[" + std::to_string(i) + "] = " + number_text(size) + " is no voxel size; " + number_text(fixed) + " is used");
    size = fixed;
  }
  for (double& size : h.pixdim) {
    if (!std::isfinite(size)) size = 0;
  }
  h.pixdim[0] = h.pixdim[0] < 0 ? -1 : 1;
  h.qform_code = static_cast<int>(f.qform_code);
  h.sform_code = static_cast<int>(f.sform_code);
  h.quatern = f.quatern;
  h.qoffset = f.qoffset;
  h.srow = f.srow;
  const auto usable = [](const Matrix44& m) {
    Matrix44 inverse;
    return invert_affine(m, inverse);
  };
  if (h.sform_code > 0 && !usable(h.sform())) {
    report.warn("sform = a matrix that is singular or not finite; it is ignored");
    h.sform_code = 0;
  }
  if (h.qform_code > 0 && !usable(h.qform())) {
    report.warn("qform = a transform that is singular or not finite; it is ignored");
    h.qform_code = 0;
  }
}

void take_rest(const NiftiFields& f, NiftiHeader& h) {
  const auto finite_or_zero = [](double v) { return std::isfinite(v) ? v : 0.0; };
  h.cal_min = finite_or_zero(f.cal_min);
  h.cal_max = finite_or_zero(f.cal_max);
  h.toffset = finite_or_zero(f.toffset);
  h.slice_duration = finite_or_zero(f.slice_duration);
  h.slice_code = static_cast<int>(f.slice_code);
  h.slice_start = f.slice_start;
  h.slice_end = f.slice_end;
  h.dim_info = static_cast<int>(f.dim_info);
  h.xyzt_units = static_cast<int>(f.xyzt_units);
  h.intent_code = static_cast<int>(f.intent_code);
  h.intent_p = f.intent_p;
  h.intent_name = f.intent_name;
  h.descrip = f.descrip;
  h.aux_file = f.aux_file;
}

// Reads one extension; a text says why it and everything behind it is dropped.
std::optional<std::string> read_one_extension(NiftiHeader& h, int64_t& left, int64_t& kept, int64_t most_kept,
                                              const std::function<size_t(std::byte*, size_t)>& next) {
  std::array<std::byte, 8> prefix;
  if (next(prefix.data(), prefix.size()) != prefix.size()) return "the file ends in it";
  std::array<int32_t, 2> words;  // esize, ecode
  for (size_t i = 0; i < 2; ++i) {
    uint32_t word;
    std::memcpy(&word, prefix.data() + 4 * i, 4);
    words[i] = static_cast<int32_t>(h.swapped ? __builtin_bswap32(word) : word);
  }
  const int64_t size = words[0];
  if (size < 16 || size % 16 != 0) return "esize = " + std::to_string(size) + " (allowed multiples of 16)";
  if (size > left) return "esize = " + std::to_string(size) + " (allowed at most " + std::to_string(left) + " before the voxels)";
  kept += size;
  if (kept > most_kept) return "more than " + std::to_string(most_kept) + " bytes of extensions";
  left -= size;
  NiftiExtension extension{words[1], {}};
  auto missing = static_cast<size_t>(size - 8);
  while (missing > 0) {  // grows with what the file really delivers, not with what it declares
    const size_t piece = std::min<size_t>(missing, size_t{1} << 20);
    const size_t old = extension.data.size();
    extension.data.resize(old + piece);
    if (next(extension.data.data() + old, piece) != piece) return "the file ends in it";
    missing -= piece;
  }
  h.extensions.push_back(std::move(extension));
  return std::nullopt;
}

}  // namespace

NiftiHeader parse_nifti_header(std::span<const std::byte> bytes, const HeaderContext& context, Warnings& warnings) {
  const Reporter report(context.path, warnings, context.strict);
  const HeaderKind kind = check_kind(bytes, context.path);
  const NiftiFields f = read_fields(bytes, kind);
  NiftiHeader h;
  h.version = f.version;
  h.swapped = f.swapped;
  h.pair = check_magic(f, context.path);
  take_dims(f, context.path, h);
  take_datatype(f, report, h);
  check_total(h, context.path);
  take_offset(f, report, h);
  if (!h.pair) check_data_fits(h, context);
  take_scaling(f, report, h);
  take_geometry(f, report, h);
  take_rest(f, h);
  return h;
}

void read_extensions(NiftiHeader& header, const HeaderContext& context, Warnings& warnings,
                     const std::function<size_t(std::byte*, size_t)>& next) {
  const Reporter report(context.path, warnings, context.strict);
  const int64_t fixed = header.version == 1 ? 348 : 540;
  int64_t left = header.pair ? INT64_MAX : header.vox_offset - fixed - 4;
  std::array<std::byte, 4> flag{};
  if (next(flag.data(), flag.size()) != flag.size() || flag[0] == std::byte{0}) return;
  const int64_t most_kept = std::min(most_kept_extension_bytes, context.file_bytes + (int64_t{4} << 20));
  if (header.pair && !context.gzip) left = context.file_bytes - fixed - 4;
  int64_t kept = 0;
  while (left >= 16) {
    const auto count = static_cast<int>(header.extensions.size());
    if (count == most_extensions) {
      report.warn("extensions beyond number " + std::to_string(most_extensions) + " are dropped");
      return;
    }
    const auto reason = read_one_extension(header, left, kept, most_kept, next);
    if (!reason) continue;
    // A compressed .hdr has no declared end: stopping at a clean end of file is how its list of extensions finishes.
    if (!(header.pair && context.gzip && *reason == "the file ends in it")) {
      report.warn("extension " + std::to_string(count + 1) + " dropped: " + *reason);
    }
    return;
  }
}

void check_data_fits(const NiftiHeader& header, const HeaderContext& context) {
  int64_t needed = 0;
  if (__builtin_add_overflow(header.data_bytes(), header.vox_offset, &needed)) needed = largest_bytes;
  const std::string declared =
      "vox_offset " + std::to_string(header.vox_offset) + " + " + std::to_string(header.data_bytes()) + " bytes of voxels";
  if (!context.gzip && needed > context.file_bytes) {
    fail_field(context.path, "file size", std::to_string(context.file_bytes), "at least " + std::to_string(needed) + ": " + declared);
  }
  if (context.gzip && needed / largest_deflate_ratio > context.file_bytes + 4) {
    fail_field(context.path, "file size", std::to_string(context.file_bytes) + " compressed",
               "at least " + std::to_string(needed / largest_deflate_ratio) + ": " + declared);
  }
}

}  // namespace voxloom::io
