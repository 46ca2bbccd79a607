#include "sdk/testhost/parcel.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <string_view>

namespace godwit::testhost {
namespace {

// Hands out pieces of the mapping.
struct Arena {
  char* next;
  template <class T>
  T* make(size_t count) {
    next += (8 - reinterpret_cast<uintptr_t>(next) % 8) % 8;
    T* made = reinterpret_cast<T*>(next);
    next += sizeof(T) * count;
    return made;
  }
  gw_str text(std::string_view s) {
    if (s.empty()) return {nullptr, 0};
    return present(s);
  }
  gw_str present(std::string_view s) {
    char* bytes = next;
    std::memcpy(bytes, s.data(), s.size());
    next += s.size();
    return {bytes, s.size()};
  }
};

size_t bytes_of(const ParcelSpec& s) {
  size_t n = sizeof(gw_msg) + s.message_id.size() + s.app_id.size() + s.content.size() + s.vendor_options.size() +
             s.collapse_key.size() + 256;
  for (const std::string& a : s.addresses)
    n += sizeof(gw_target) + sizeof(void*) + a.size() + s.user_id.size() + s.extra.size() + 16;
  return n;
}

}  // namespace

Parcel::Parcel(const ParcelSpec& s, uint64_t ticket, uint64_t deadline_mono_ns)
    : ticket_(ticket), target_count_(static_cast<uint32_t>(s.addresses.size())) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  length_ = (bytes_of(s) + page - 1) / page * page;
  void* mapped = mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  base_ = static_cast<char*>(mapped);
  Arena arena{base_};
  message_ = arena.make<gw_msg>(1);
  gw_target* targets = arena.make<gw_target>(target_count_);
  auto** list = arena.make<const gw_target*>(target_count_);
  for (uint32_t i = 0; i < target_count_; ++i) {
    targets[i].size = sizeof(gw_target);
    targets[i].address = arena.text(s.addresses[i]);
    targets[i].user_id = arena.text(s.user_id);
    targets[i].extra = arena.text(s.extra);
    list[i] = &targets[i];
  }
  gw_msg& m = *message_;
  m.size = sizeof m;
  m.flags = s.flags;
  m.ticket = ticket;
  m.message_id = arena.text(s.message_id);
  m.app_id = arena.text(s.app_id);
  m.targets = list;
  m.target_count = target_count_;
  m.content_kind = s.content_kind;
  m.content = arena.present(s.content);
  m.vendor_options = arena.text(s.vendor_options);
  m.collapse_key = arena.text(s.collapse_key);
  m.deadline_mono_ns = deadline_mono_ns;
  m.ttl_ms = s.ttl_ms;
  m.priority = s.priority;
  m.attempt = s.attempt;
  m.trace = arena.text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

Parcel::~Parcel() {
  munmap(base_, length_);
}

bool Parcel::contains(const void* address) const {
  auto* p = static_cast<const char*>(address);
  return p >= base_ && p < base_ + length_;
}

void Parcel::guard() {
  mprotect(base_, length_, PROT_NONE);
}

}  // namespace godwit::testhost
