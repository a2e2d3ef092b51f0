// tests/install/outside.cpp: what a user's first program looks like, compiled by the two outside projects.
#include <voxloom/voxloom.h>

#include <string_view>

int main() { return std::string_view(voxloom::name_of(voxloom::f32)) == "float32" ? 0 : 1; }
