// Every memory access of the simulated program, as it is about to happen. Only a program that links the
// firmware's instrumented build has any (see CMakeLists.txt here); in another one nothing is ever heard.
#pragma once

#include <cstdint>
#include <string_view>

namespace brownout::sim {

// Hears of accesses in the thread that installed it (ListeningToAccesses).
class AccessListener {
 public:
  // The program is about to read or write so many bytes there: 1 to 8, never more. Memory is still as it was.
  // An atomic read-modify-write is one access that writes. `code` is the instruction that follows. Accesses
  // are those that the host's compiler made of the program, in its order; what it keeps in registers, what no
  // one but the function itself can reach, and constants are none.
  //
  // Anything may run in here, the simulated program included, whose accesses are not heard then unless a
  // further listener is installed. May return, or leave by abandoning the stack (Fibers::abandon(); see
  // ListeningToAccesses::resume()). May not throw.
  virtual void access(const void* address, std::uint32_t size_bytes, bool writes, const void* code) = 0;

 protected:
  ~AccessListener() = default;
};

// Installs a listener for this thread while it lives; the one before, if any, is back afterwards.
class ListeningToAccesses {
 public:
  explicit ListeningToAccesses(AccessListener& listener);
  ~ListeningToAccesses();
  ListeningToAccesses(const ListeningToAccesses&) = delete;
  ListeningToAccesses& operator=(const ListeningToAccesses&) = delete;

  // Hears again, after an access() that did not return.
  void resume();

 private:
  AccessListener& listener_;
  AccessListener* before_;
};

// Nobody hears while it lives: the program runs, and its accesses are of no interest.
class NotListening {
 public:
  NotListening();
  ~NotListening();
  NotListening(const NotListening&) = delete;
  NotListening& operator=(const NotListening&) = delete;

 private:
  AccessListener* before_;
};

// Whether this program links the instrumented build.
bool firmware_is_instrumented();

// Names the build: 16 hexadecimal digits of a hash over the compiler, its options and the code that came out
// of it. Which accesses there are depends on all three. Empty if there are none.
std::string_view firmware_build_id();

}  // namespace brownout::sim
