#pragma once
// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a counter-based
// generator. Call number k of a stream is a pure function of the key and the counter, so that any part of a fill can be
// made by any thread. Keys and counters are set as TensorFlow sets them.
#include <cstdint>

namespace vf::cpu {

// The state of a stream: plain, copied freely. The 128-bit counter counts calls; each call yields four 32-bit words.
struct Philox {
  struct Words {
    uint32_t x[4];
  };

  uint64_t counter_low = 0;
  uint64_t counter_high = 0;
  uint32_t key[2] = {0, 0};

  // Of the attributes `seed` and `seed2` of a stateful random op. (0, 0) is a stream like any other here: that it
  // stands for a seed to be picked at random is the op's business.
  static Philox from_seeds(int64_t seed, int64_t seed2) {
    Philox p;
    p.key[0] = static_cast<uint32_t>(seed);
    p.key[1] = static_cast<uint32_t>(static_cast<uint64_t>(seed) >> 32);
    p.counter_high = static_cast<uint64_t>(seed2);
    return p;
  }

  // Of the two elements of a stateless op's `seed` (32-bit ones are sign-extended): they are scrambled first, so that
  // streams of neighbouring seeds have nothing in common.
  static Philox from_stateless_seed(int64_t seed0, int64_t seed1) {
    Philox scramble;
    scramble.key[0] = 0x3ec8f720U;
    scramble.key[1] = 0x02461e29U;
    scramble.counter_low = static_cast<uint64_t>(seed0);
    scramble.counter_high = static_cast<uint64_t>(seed1);
    const Words m = scramble.words();
    Philox p;
    p.key[0] = m.x[0];
    p.key[1] = m.x[1];
    p.counter_high = m.x[2] | static_cast<uint64_t>(m.x[3]) << 32;
    return p;
  }

  void skip(uint64_t calls) {
    counter_low += calls;
    counter_high += counter_low < calls ? 1 : 0;
  }

  Philox skipped(uint64_t calls) const {
    Philox p = *this;
    p.skip(calls);
    return p;
  }

  // The words of the call that the counter stands at, which stays where it is.
  Words words() const {
    uint32_t c0 = static_cast<uint32_t>(counter_low);
    uint32_t c1 = static_cast<uint32_t>(counter_low >> 32);
    uint32_t c2 = static_cast<uint32_t>(counter_high);
    uint32_t c3 = static_cast<uint32_t>(counter_high >> 32);
    uint32_t k0 = key[0];
    uint32_t k1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xD2511F53U} * c0;
      const uint64_t p1 = uint64_t{0xCD9E8D57U} * c2;
      c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<uint32_t>(p1);
      c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<uint32_t>(p0);
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    return {{c0, c1, c2, c3}};
  }

  // The same, and moves on by one call.
  Words next() {
    const Words result = words();
    skip(1);
    return result;
  }

  friend bool operator==(const Philox&, const Philox&) = default;
};

// The words of successive calls one by one.
class PhiloxWords {
 public:
  explicit PhiloxWords(const Philox& base) : philox_(base) {}

  uint32_t next() {
    if (used_ == 4) {
      words_ = philox_.next();
      used_ = 0;
    }
    return words_.x[used_++];
  }

 private:
  Philox philox_;
  Philox::Words words_{};
  int used_ = 4;
};

}  // namespace vf::cpu
