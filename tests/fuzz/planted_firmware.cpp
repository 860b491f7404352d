#include "planted_firmware.hpp"

#include <algorithm>
#include <cstring>

#include "heap/layout.hpp"

namespace brownout::sim::fuzz::planted {
namespace {

using firmware::Firmware;
using firmware::Image;
using firmware::Port;

// Passes everything on to the right firmware.
class Wrapped : public Firmware {
 public:
  Wrapped(Image image, Port& port)
      : image_(image), port_(port), right_(firmware::make_firmware(image, port)) {}
  void cold_start() override { right_->cold_start(); }
  heap::Status persist() override { return right_->persist(); }
  heap::Status restore() override { return right_->restore(); }
  heap::Status restore_older() override { return right_->restore_older(); }
  std::span<std::byte> static_ram() override { return right_->static_ram(); }

 protected:
  // A whole transaction, as a driver would make it.
  void send(heap::ConstBytes command, heap::OutStream data = {}) {
    port_.begin_send(command, data);
    while (port_.poll_bus() == heap::TransferState::busy) {
    }
  }

  Image image_;
  Port& port_;
  std::unique_ptr<Firmware> right_;
};

// After a restore with residents a byte of the control block is not what it was.
class Forgetful final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  heap::Status restore() override {
    const heap::Status status = right_->restore();
    const auto& control = *reinterpret_cast<const heap::Control*>(image_.ram.data());
    if (status.ok() && control.residents > 0)
      image_.ram[offsetof(heap::Control, image_bytes)] ^= std::byte{1};
    return status;
  }
};

// A restore that writes: WREN, then a byte at the end of the store, which may be where an object is.
class Writing final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  heap::Status restore() override {
    const heap::Status status = right_->restore();
    if (!status.ok()) return status;
    const std::byte wren[] = {std::byte{0x06}};
    send({wren, 1});
    const std::uint32_t last = image_.storage.size_bytes - 1;
    std::byte write[4] = {std::byte{0x02}};
    std::uint32_t size = 1;
    for (std::uint32_t i = image_.storage.address_bytes; i-- > 0;)
      write[size++] = static_cast<std::byte>(last >> 8 * i);
    bool sent = false;
    const auto one_byte = [](void* done, heap::ConstBytes& piece) {
      static constexpr std::byte kByte{0x5A};
      if (*static_cast<bool*>(done)) return false;
      *static_cast<bool*>(done) = true;
      piece = {&kByte, 1};
      return true;
    };
    send({write, size}, {one_byte, &sent});
    return status;
  }
};

// Of the test: whether a restore has begun that has not ended. No real firmware has such a variable.
class Once final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  heap::Status persist() override {
    begun_ = false;
    return right_->persist();
  }
  heap::Status restore() override {
    if (begun_) return heap::Error::empty;
    begun_ = true;
    return right_->restore();
  }

 private:
  bool begun_ = false;
};

// Takes an image that was cut for none, and says that all is well.
class Trusting final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  heap::Status restore() override {
    const heap::Status status = right_->restore();
    return status.error() == heap::Error::torn ? heap::Status() : status;
  }
};

class WithoutOs final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  heap::Status restore() override {
    const heap::Status status = right_->restore();
    if (status.ok() && !image_.os_part.empty()) image_.os_part.back() ^= std::byte{1};
    return status;
  }
};

}  // namespace

std::unique_ptr<Firmware> make_forgetful(const Image& image, Port& port) {
  return std::make_unique<Forgetful>(image, port);
}
std::unique_ptr<Firmware> make_writing(const Image& image, Port& port) {
  return std::make_unique<Writing>(image, port);
}
std::unique_ptr<Firmware> make_once(const Image& image, Port& port) {
  return std::make_unique<Once>(image, port);
}
std::unique_ptr<Firmware> make_trusting(const Image& image, Port& port) {
  return std::make_unique<Trusting>(image, port);
}
// Starts on an empty store, whatever is in it.
std::unique_ptr<Firmware> make_formatting(const Image& image, Port& port) {
  Image wrong = image;
  wrong.attach = false;
  return firmware::make_firmware(wrong, port);
}
// Passes on each error of the bus.
std::unique_ptr<Firmware> make_without_retries(const Image& image, Port& port) {
  Image wrong = image;
  wrong.storage.retries = 0;
  return firmware::make_firmware(wrong, port);
}
// Takes what comes across for what was sent.
std::unique_ptr<Firmware> make_unverified(const Image& image, Port& port) {
  Image wrong = image;
  wrong.verify = heap::Verify::none;
  return firmware::make_firmware(wrong, port);
}
std::unique_ptr<Firmware> make_without_os(const Image& image, Port& port) {
  return std::make_unique<WithoutOs>(image, port);
}

}  // namespace brownout::sim::fuzz::planted
