// Whether this build is one of the address sanitizer's, which take longer to compile and to run, and have
// handlers of their own for fatal signals.
#pragma once

namespace brownout::heap::testing {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace brownout::heap::testing
