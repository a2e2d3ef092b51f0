// io/nifti_header.cpp: sizes and storage of a header; nifti_parse.cpp reads it, nifti_write.cpp writes it, orientation.cpp turns it.
#include <voxloom/io/nifti_header.h>

namespace voxloom::io {

std::vector<int64_t> NiftiHeader::shape() const {
  std::vector<int64_t> result = dims;
  if (form == VoxelForm::channels) result.push_back(channels);
  return result;
}

int64_t NiftiHeader::voxel_count() const {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

int64_t NiftiHeader::voxel_bytes() const {
  switch (form) {
    case VoxelForm::plain: return static_cast<int64_t>(size_of(dtype));
    case VoxelForm::channels: return channels;
    case VoxelForm::float128: return 16;
    case VoxelForm::complex256: return 32;
  }
  return 0;
}

void NiftiHeader::set_storage(DType type) {
  dtype = type == DType::boolean ? DType::u8 : type;
  datatype = nifti_datatype_of(type);
  form = VoxelForm::plain;
  channels = 0;
  swapped = false;
  slope = 1;
  inter = 0;
  scaled = false;
  cal_min = cal_max = 0;
}

int nifti_datatype_of(DType dtype) {
  switch (dtype) {
    case DType::boolean:
    case DType::u8: return 2;
    case DType::i8: return 256;
    case DType::i16: return 4;
    case DType::i32: return 8;
    case DType::i64: return 1024;
    case DType::u16: return 512;
    case DType::u32: return 768;
    case DType::u64: return 1280;
    case DType::f32: return 16;
    case DType::f64: return 64;
    case DType::c64: return 32;
    case DType::c128: return 1792;
    case DType::f16:
    case DType::bf16: break;
  }
  fail_user(ErrorCode::dtype, "save", "NIfTI has no datatype for " + std::string(name_of(dtype)));
}

}  // namespace voxloom::io
