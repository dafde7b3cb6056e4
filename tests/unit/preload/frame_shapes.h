// Functions whose frames differ in how they are laid out, each calling `probe` once from inside.
// Compiled several times, with and without frame pointers and optimisation: SHAPES is the name.
#pragma once

namespace umaskaudit::testing_support {

using Probe = void (*)();

struct FrameShape {
  const char* name;
  void (*call)(Probe probe);
};

extern const FrameShape kOptimizedShapes[];
extern const FrameShape kPlainShapes[];
extern const unsigned kShapeCount;

}  // namespace umaskaudit::testing_support
