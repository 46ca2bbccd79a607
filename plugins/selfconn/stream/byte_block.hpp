// ByteBlock is an owned run of bytes that costs its owner one pointer, nothing when empty: the beginning of a packet
// whose rest has not come, or the end of an answer that the socket did not take.
//
// `mark` is a tick that the owner may keep with the bytes. One thread.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace selfconn {

class ByteBlock {
 public:
  ByteBlock() = default;
  ByteBlock(ByteBlock&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  ByteBlock& operator=(ByteBlock&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~ByteBlock() { std::free(block_); }

  bool empty() const { return block_ == nullptr; }
  size_t size() const { return block_ ? block_->size - block_->taken : 0; }
  std::span<const uint8_t> bytes() const {
    return block_ ? std::span<const uint8_t>(data() + block_->taken, size()) : std::span<const uint8_t>();
  }
  uint32_t mark() const { return block_ ? block_->mark : 0; }
  void set_mark(uint32_t mark) {
    if (block_) block_->mark = mark;
  }

  void clear() {
    std::free(block_);
    block_ = nullptr;
  }

  // `bytes` may be a part of this block.
  void assign(std::span<const uint8_t> bytes, uint32_t mark) {
    if (bytes.empty()) return clear();
    Block* const fresh = make(bytes.size(), mark);
    std::memcpy(reinterpret_cast<uint8_t*>(fresh + 1), bytes.data(), bytes.size());
    std::free(block_);
    block_ = fresh;
  }

  // REQUIRES: `more` is not a part of this block.
  void append(std::span<const uint8_t> more) {
    if (more.empty()) return;
    Block* const fresh = make(size() + more.size(), mark());
    if (size() > 0) std::memcpy(reinterpret_cast<uint8_t*>(fresh + 1), bytes().data(), size());
    std::memcpy(reinterpret_cast<uint8_t*>(fresh + 1) + size(), more.data(), more.size());
    std::free(block_);
    block_ = fresh;
  }

  // Forgets the first bytes; frees everything with the last one.
  void drop(size_t count) {
    if (count >= size()) return clear();
    block_->taken += static_cast<uint32_t>(count);
  }

 private:
  struct Block {
    uint32_t size, taken, mark;
  };
  static Block* make(size_t size, uint32_t mark) {
    auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + size));
    if (!block) throw std::bad_alloc();
    *block = {static_cast<uint32_t>(size), 0, mark};
    return block;
  }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(block_ + 1); }

  Block* block_ = nullptr;
};

// Text behind one pointer: a device's address, which most connections never look at.
class SmallText {
 public:
  SmallText() = default;
  explicit SmallText(std::string_view text) : text_(static_cast<char*>(std::malloc(2 + text.size()))) {
    if (!text_) throw std::bad_alloc();
    const auto size = static_cast<uint16_t>(text.size());  // an address has at most 1 KiB (GW_CREDENTIAL_BUFFER)
    std::memcpy(text_, &size, 2);
    std::memcpy(text_ + 2, text.data(), size);
  }
  SmallText(SmallText&& other) noexcept : text_(std::exchange(other.text_, nullptr)) {}
  SmallText& operator=(SmallText&& other) noexcept {
    std::swap(text_, other.text_);
    return *this;
  }
  ~SmallText() { std::free(text_); }

  std::string_view view() const {
    if (!text_) return {};
    uint16_t size;
    std::memcpy(&size, text_, 2);
    return {text_ + 2, size};
  }

 private:
  char* text_ = nullptr;
};

}  // namespace selfconn
