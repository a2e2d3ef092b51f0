// io/nifti_fields.cpp: NIfTI's two binary layouts to and from NiftiFields.
#include <voxloom/io/nifti_fields.h>

#include <nifti1.h>
#include <nifti2.h>
#include <algorithm>
#include <cstring>

namespace voxloom::io {
namespace {

static_assert(sizeof(nifti_1_header) == 348 && sizeof(nifti_2_header) == 540);

template <class T> T swap_bytes(T value) {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  std::reverse(bytes.begin(), bytes.end());
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <size_t n> std::string text_of(const char (&field)[n]) { return {field, std::find(field, field + n, '\0')}; }

template <size_t n> void put_text(char (&field)[n], const std::string& text) {
  std::memset(field, 0, n);
  std::memcpy(field, text.data(), std::min(text.size(), n));
}

// Copies between the widened struct and a layout; `out` decides the direction, so that both layouts need one list of fields.
struct Reader {
  bool swapped;
  template <class Wide, class Narrow> void operator()(Wide& wide, Narrow& narrow) const {
    Narrow value;
    std::memcpy(&value, &narrow, sizeof value);
    wide = static_cast<Wide>(swapped ? swap_bytes(value) : value);
  }
  template <size_t n> void text(std::string& wide, char (&narrow)[n]) const { wide = text_of(narrow); }
};
struct Writer {
  template <class Wide, class Narrow> void operator()(Wide& wide, Narrow& narrow) const {
    const auto value = static_cast<Narrow>(wide);
    std::memcpy(&narrow, &value, sizeof value);
  }
  template <size_t n> void text(std::string& wide, char (&narrow)[n]) const { put_text(narrow, wide); }
};

// Fields go through pointers to members: the NIfTI-2 struct is packed (its fields are aligned all the same once the object is).
template <class Copy, class Layout> void copy_numbers(const Copy& copy, NiftiFields& f, Layout& h) {
  copy(f.datatype, h.*(&Layout::datatype));
  copy(f.bitpix, h.*(&Layout::bitpix));
  for (size_t i = 0; i < 8; ++i) {
    copy(f.dim[i], (h.*(&Layout::dim))[i]);
    copy(f.pixdim[i], (h.*(&Layout::pixdim))[i]);
  }
  copy(f.scl_slope, h.*(&Layout::scl_slope));
  copy(f.scl_inter, h.*(&Layout::scl_inter));
  copy(f.cal_max, h.*(&Layout::cal_max));
  copy(f.cal_min, h.*(&Layout::cal_min));
  copy(f.slice_duration, h.*(&Layout::slice_duration));
  copy(f.toffset, h.*(&Layout::toffset));
  copy(f.slice_start, h.*(&Layout::slice_start));
  copy(f.slice_end, h.*(&Layout::slice_end));
  copy(f.slice_code, h.*(&Layout::slice_code));
  copy(f.xyzt_units, h.*(&Layout::xyzt_units));
  copy(f.intent_code, h.*(&Layout::intent_code));
  copy(f.dim_info, h.*(&Layout::dim_info));
  copy(f.intent_p[0], h.*(&Layout::intent_p1));
  copy(f.intent_p[1], h.*(&Layout::intent_p2));
  copy(f.intent_p[2], h.*(&Layout::intent_p3));
}

template <class Copy, class Layout> void copy_common(const Copy& copy, NiftiFields& f, Layout& h) {
  copy_numbers(copy, f, h);
  copy(f.qform_code, h.*(&Layout::qform_code));
  copy(f.sform_code, h.*(&Layout::sform_code));
  copy(f.quatern[0], h.*(&Layout::quatern_b));
  copy(f.quatern[1], h.*(&Layout::quatern_c));
  copy(f.quatern[2], h.*(&Layout::quatern_d));
  copy(f.qoffset[0], h.*(&Layout::qoffset_x));
  copy(f.qoffset[1], h.*(&Layout::qoffset_y));
  copy(f.qoffset[2], h.*(&Layout::qoffset_z));
  for (size_t i = 0; i < 4; ++i) {
    copy(f.srow[0][i], (h.*(&Layout::srow_x))[i]);
    copy(f.srow[1][i], (h.*(&Layout::srow_y))[i]);
    copy(f.srow[2][i], (h.*(&Layout::srow_z))[i]);
  }
  copy.text(f.descrip, h.descrip);
  copy.text(f.aux_file, h.aux_file);
  copy.text(f.intent_name, h.intent_name);
}

}  // namespace

HeaderKind sniff_header(std::span<const std::byte> bytes) {
  if (bytes.size() < 4) return HeaderKind::none;
  int32_t size;
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size == 348) return HeaderKind::nifti1;
  if (size == 540) return HeaderKind::nifti2;
  if (swap_bytes(size) == 348) return HeaderKind::nifti1_swapped;
  if (swap_bytes(size) == 540) return HeaderKind::nifti2_swapped;
  return HeaderKind::none;
}

size_t fixed_header_size(HeaderKind kind) {
  switch (kind) {
    case HeaderKind::none: return 0;
    case HeaderKind::nifti1:
    case HeaderKind::nifti1_swapped: return 348;
    case HeaderKind::nifti2:
    case HeaderKind::nifti2_swapped: return 540;
  }
  return 0;
}

NiftiFields read_fields(std::span<const std::byte> bytes, HeaderKind kind) {
  NiftiFields f;
  f.swapped = kind == HeaderKind::nifti1_swapped || kind == HeaderKind::nifti2_swapped;
  const Reader copy{f.swapped};
  if (fixed_header_size(kind) == sizeof(nifti_1_header)) {
    nifti_1_header h;
    std::memcpy(&h, bytes.data(), sizeof h);
    f.version = 1;
    f.magic.assign(h.magic, sizeof h.magic);
    copy_common(copy, f, h);
    copy(f.vox_offset, h.*(&nifti_1_header::vox_offset));
  } else {
    alignas(8) nifti_2_header h;
    std::memcpy(&h, bytes.data(), sizeof h);
    f.version = 2;
    f.magic.assign(h.magic, sizeof h.magic);
    copy_common(copy, f, h);
    copy(f.vox_offset_int, h.*(&nifti_2_header::vox_offset));
  }
  return f;
}

std::vector<std::byte> write_fields(const NiftiFields& fields) {
  NiftiFields f = fields;
  const Writer copy;
  std::vector<std::byte> bytes;
  if (f.version == 1) {
    nifti_1_header h{};
    h.sizeof_hdr = 348;
    h.regular = 'r';
    std::memcpy(h.magic, f.magic.data(), std::min(f.magic.size(), sizeof h.magic));
    copy_common(copy, f, h);
    copy(f.vox_offset, h.*(&nifti_1_header::vox_offset));
    bytes.resize(sizeof h);
    std::memcpy(bytes.data(), &h, sizeof h);
  } else {
    alignas(8) nifti_2_header h{};
    h.sizeof_hdr = 540;
    std::memcpy(h.magic, f.magic.data(), std::min(f.magic.size(), sizeof h.magic));
    copy_common(copy, f, h);
    copy(f.vox_offset_int, h.*(&nifti_2_header::vox_offset));
    bytes.resize(sizeof h);
    std::memcpy(bytes.data(), &h, sizeof h);
  }
  return bytes;
}

}  // namespace voxloom::io
