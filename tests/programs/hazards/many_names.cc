// Calls umask(2) from functions whose names are hard to read: templates, operators, lambdas, local
// classes, arguments of std::.
// Ground truth: the order of the calls; each passes its number as the mask, which is the old mask
// of the next.
// Usage: many_names. No test of the mask: it is put back at the end.
#include <sys/stat.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

mode_t number = 0;
[[gnu::noinline]] int step() { return static_cast<int>(umask(++number)); }

}  // namespace

// Each adds its result, so that the call is not its last: a jump would leave no frame of it.
namespace cfg {

template <class T>
struct Box {
  [[gnu::noinline]] int read() const { return step() + 1; }
  [[gnu::noinline]] explicit operator bool() const { return step() + 1 != 0; }
  [[gnu::noinline]] bool operator<(const Box&) const { return step() + 1 != 0; }
  template <class U>
  [[gnu::noinline]] int as(U) const {
    return step() + 1;
  }
  [[gnu::noinline]] Box() { made = step() + 1; }
  int made;
};

template <auto Function>
struct Calls {
  [[gnu::noinline]] int run() const { return Function() + 1; }
};

[[gnu::noinline]] int operator+(const Box<int>&, const std::string& text) {
  return step() + static_cast<int>(text.size());
}

template <class F>
[[gnu::noinline]] int call(const F& function) {
  return function() + 1;
}

}  // namespace cfg

namespace {

// A name of a function may be as long as its types are deep.
template <class A, class B, class C, class D>
struct A_class_with_a_name_that_tells_what_it_is_for {};
template <class A, class B>
struct Another_class_with_a_name_that_tells_what_it_is_for {};
using Long = A_class_with_a_name_that_tells_what_it_is_for<
    Another_class_with_a_name_that_tells_what_it_is_for<
        std::map<std::string, std::vector<std::map<std::string, std::string>>>,
        std::function<std::string(const std::vector<std::string>&, std::vector<int>)>>,
    std::function<void(std::map<int, unsigned>&&, std::string&, std::vector<long double>)>,
    Another_class_with_a_name_that_tells_what_it_is_for<int (*)(char), bool (cfg::Box<int>::*)()>,
    std::vector<std::vector<std::map<std::vector<unsigned char>, std::vector<signed char>>>>>;

template <class T>
[[gnu::noinline]] int hidden(const T&) {
  struct Local {
    [[gnu::noinline]] int save() const { return step() + 1; }
  };
  return Local().save() + 1;
}

[[gnu::noinline]] int outer() {
  return cfg::call([]() __attribute__((noinline)) { return step() + 1; }) + 1;
}

}  // namespace

int main() {
  const mode_t first = umask(0);
  const cfg::Box<int> box;
  int sum = box.read();
  sum += static_cast<bool>(box) ? 1 : 0;
  sum += box < box ? 1 : 0;
  sum += box.as(std::string());
  sum += box + "text";
  sum += cfg::Calls<step>().run();
  sum += outer();
  sum += hidden(std::string());
  sum += hidden(Long());
  umask(first);
  return sum == 0 ? 1 : 0;
}
