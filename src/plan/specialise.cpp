#include "plan/specialise.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "graph/reference.h"
#include "plan/absorb.h"
#include "plan/blocks.h"
#include "plan/fuse.h"
#include "plan/memory.h"

namespace vf::plan {
namespace {

// Values up to this size are computed when a plan is made, where that is possible.
constexpr size_t kFoldBytes = 64 * 1024;

[[noreturn]] void fail(const Node& node, Code code, const std::string& text) {
  throw Error(code, node.type(), node.name(), text);
}

class Specialiser {
 public:
  Specialiser(const Program& program, const Conditions& conditions)
      : program_(program), conditions_(conditions), segment_(std::make_unique<Segment>()) {
    known_.resize(program.items.size());
    variable_shapes_ = conditions.variable_shapes;
    segment_->threads = conditions.options.threads;
    for (size_t v = 0; v < variable_shapes_.size(); ++v)
      segment_->variable_shapes.emplace_back(static_cast<uint32_t>(v), variable_shapes_[v]);
  }

  void start_from(const Segment& outer, std::span<const Tensor> values, std::span<const Shape> shapes) {
    const Boundary& b = *outer.boundary;
    first_ = b.next_item;
    known_ = b.known;
    variable_shapes_ = b.variable_shapes;
    feed_constants_ = b.feed_values;
    for (uint32_t v : b.shape_variables) variable_shapes_[v] = conditions_.variable_shapes[v];
    segment_->variable_shapes.clear();
    for (const Slot& s : outer.slots) {
      Slot copy = s;
      const bool pin = s.memory == Memory::Pin || (s.memory == Memory::Outer && s.index != kNone);
      copy.memory = Memory::Outer;
      if (!pin) copy.index = kNone;
      copy.first_step = copy.last_step = -1;
      copy.escapes = false;
      segment_->slots.push_back(copy);
    }
    for (size_t i = 0; i < b.shape_slots.size(); ++i) {
      Slot& slot = segment_->slots[b.shape_slots[i]];
      slot.shape = shapes[i];
      slot.bytes = static_cast<size_t>(slot.shape.num_elements()) * dtype_size(slot.dtype);
      for (auto& item : known_)
        for (Known& k : item)
          if (k.slot == b.shape_slots[i]) k.shape = shapes[i];
    }
    feed_slots_.assign(conditions_.feed_shapes.size(), kNone);
    for (size_t i = 0; i < b.value_slots.size(); ++i)
      for (auto& item : known_)
        for (Known& k : item)
          if (k.slot == b.value_slots[i]) k.constant = values[i].reshaped(k.shape);
    for (size_t i = 0; i < b.value_slots.size(); ++i)
      if (outer.slots[b.value_slots[i]].memory == Memory::Feed)
        feed_constants_[outer.slots[b.value_slots[i]].index] = values[i];
  }

  std::unique_ptr<Segment> build() {
    const int n = conditions_.items >= 0 ? conditions_.items : static_cast<int>(program_.items.size());
    int at = first_;
    while (at < n && !ends_ && item(at)) ++at;
    if (at < n || ends_ || conditions_.items >= 0) {
      end_early(at);
    } else {
      for (size_t i = 0; i < program_.fetches.size(); ++i) add_result(static_cast<int>(i));
      segment_->final_variable_shapes = variable_shapes_;
    }
    drop_dead_steps();
    if (conditions_.fuse) {
      absorb(*segment_, in_place_, scratch_);
      fuse(*segment_, in_place_, scratch_);
    }
    place(*segment_, in_place_, scratch_);
    return std::move(segment_);
  }

 private:
  // False where the item must wait for a value; nothing is changed then.
  bool item(int at) {
    const Item& item = program_.items[static_cast<size_t>(at)];
    if (item.read >= 0) {
      read(at, item);
      return true;
    }
    if (item.passive) return true;
    const Node& node = *item.node;
    const OpDef& op = node.op();
    if (op.constant) {
      const Tensor& value = node.attr<Tensor>("value");
      known_[static_cast<size_t>(at)] = {{kNone, value.shape(), value}};
      return true;
    }
    const size_t inputs = item.inputs.size();
    const auto outputs = static_cast<size_t>(node.num_outputs());
    input_shapes_.clear();
    constants_.clear();
    constant_values_.clear();
    constant_values_.reserve(inputs);
    bool all_known = true;
    uint64_t variable_reads = 0;
    for (size_t i = 0; i < inputs; ++i) {
      const Source& s = item.inputs[i];
      if (s.kind == Source::Variable) {
        input_shapes_.push_back(variable_shapes_[static_cast<size_t>(s.at)]);
        constant_values_.emplace_back();
        all_known = false;
        continue;
      }
      const Known k = known(s, node.input(static_cast<int>(i)).dtype());
      input_shapes_.push_back(k.shape);
      constant_values_.push_back(k.constant);
      all_known = all_known && k.constant.valid();
      if (i < 64 && pin_steps_.count(k.slot) && k.shape == segment_->slots[k.slot].shape)
        variable_reads |= uint64_t{1} << i;
    }
    for (const Tensor& t : constant_values_) constants_.push_back(t.valid() ? &t : nullptr);

    if (item.block) {
      block(at, item);
      return true;
    }
    output_shapes_.assign(outputs, Shape::unknown());
    ShapeContext shapes(node, input_shapes_, constants_, output_shapes_);
    if (!op.shape) fail(node, Code::Unimplemented, "has no shape rule");
    op.shape(shapes);
    for (size_t o = 0; o < outputs; ++o) {
      const bool handle =
          node.output_is_ref(static_cast<int>(o)) || node.output_dtype(static_cast<int>(o)) == DType::Resource;
      if (handle || output_shapes_[o].fully_defined() || shapes.dynamic(static_cast<int>(o))) continue;
      if (shapes.asked() && wait_for(item, shapes.asked())) return false;
      fail(node, Code::Unimplemented, "has an output whose shape " + output_shapes_[o].str() + " depends on data");
    }
    if (op.alias) {
      Known k = known(item.inputs[0], node.output_dtype(0));
      if (k.constant.valid()) {
        k.constant = k.constant.reshaped(output_shapes_[0]);
        k.slot = kNone;
      }
      k.shape = output_shapes_[0];
      known_[static_cast<size_t>(at)] = {k};
      return true;
    }
    const bool hands_on = item.accesses.empty() && outputs > 0 && [&] {
      for (size_t o = 0; o < outputs; ++o)
        if (!node.output_is_ref(static_cast<int>(o)) && node.output_dtype(static_cast<int>(o)) != DType::Resource)
          return false;
      return true;
    }();
    const bool nothing_to_do = outputs == 0 && !op.fast && !op.reference;
    if (hands_on || nothing_to_do) {
      known_[static_cast<size_t>(at)].resize(outputs);
      return true;
    }

    size_t output_bytes = 0;
    for (size_t o = 0; o < outputs; ++o)
      output_bytes += static_cast<size_t>(std::max<int64_t>(output_shapes_[o].num_elements(), 0)) *
                      dtype_size(node.output_dtype(static_cast<int>(o)));
    const bool pure = !op.stateful && item.accesses.empty();
    const bool decided = std::all_of(output_shapes_.begin(), output_shapes_.end(),
                                     [](const Shape& shape) { return shape.fully_defined(); });
    const bool fold = pure && decided && outputs > 0 && (all_known || op.shape_only) && output_bytes <= kFoldBytes;
    KernelOptions options = conditions_.options;
    if (fold) options.threads = 1;
    KernelMake make(node, input_shapes_, constants_, output_shapes_, options, fold ? nullptr : conditions_.resources);
    if (!fold && conditions_.representations) make.set_variable_reads(variable_reads);
    std::unique_ptr<Kernel> kernel;
    if (op.fast) kernel = op.fast(make);
    if (!kernel && make.asked() == 0 && op.reference) kernel = op.reference(make);
    if (!kernel) {
      if (make.asked() && wait_for(item, make.asked())) return false;
      std::string types;
      for (const Output& in : node.inputs()) types += (types.empty() ? "" : ", ") + std::string(dtype_name(in.dtype()));
      fail(node, Code::Unimplemented, "has no kernel for inputs of dtype (" + types + ")");
    }
    if (fold)
      run_now(at, node, *kernel, make.scratch_bytes());
    else
      add_step(at, item, std::move(kernel), make);
    for (const auto& [input, shape] : shapes.variable_shapes())
      for (const VariableAccess& a : item.accesses)
        if (a.input == input) {
          variable_shapes_[static_cast<size_t>(a.variable)] = shape;
          for (size_t w = segment_->steps.back().first_write; w < segment_->writes.size(); ++w)
            if (segment_->writes[w].variable == static_cast<uint32_t>(a.variable)) segment_->writes[w].shape = shape;
        }
    return true;
  }

  void block(int at, const Item& item) {
    if (!conditions_.blocks) fail(*item.node, Code::Internal, "nobody runs its bodies");
    BlockMaker::Made made =
        conditions_.blocks->make(item, input_shapes_, conditions_.options.threads, variable_shapes_);
    output_shapes_ = std::move(made.outputs);
    add_step(
        at, item, std::move(made.kernel),
        KernelMake(*item.node, input_shapes_, constants_, output_shapes_, conditions_.options, conditions_.resources));
    if (item.block->loop)  // what every turn hands on is the input
      for (int i : item.block->values)
        if (!item.block->gives(i))
          known_[static_cast<size_t>(at)][static_cast<size_t>(i)] =
              known(item.inputs[static_cast<size_t>(i)], item.node->input(i).dtype());
    for (const VariableAccess& a : item.accesses)
      if (a.access > Access::Read && !variable_shapes_[static_cast<size_t>(a.variable)].fully_defined()) {
        shape_variables_.push_back(static_cast<uint32_t>(a.variable));
        ends_ = true;
      }
  }

  void read(int at, const Item& item) {
    const Node& variable = *program_.variables[static_cast<size_t>(item.read)];
    const Shape& shape = variable_shapes_[static_cast<size_t>(item.read)];
    if (!shape.fully_defined())
      fail(*item.node, Code::FailedPrecondition, "Attempting to use uninitialized value " + variable.name());
    Slot slot;
    slot.memory = Memory::Pin;
    slot.dtype = variable.attr<DType>("dtype");
    slot.shape = shape;
    slot.bytes = static_cast<size_t>(shape.num_elements()) * dtype_size(slot.dtype);
    slot.index = static_cast<uint32_t>(item.read);
    const uint32_t id = add_slot(slot);
    Step step;
    step.node = item.node;
    step.variable = static_cast<uint32_t>(item.read);
    step.first_arg = static_cast<uint32_t>(segment_->args.size());
    step.num_outputs = 1;
    segment_->args.push_back(id);
    pin_steps_[id] = segment_->steps.size();
    push_step(std::move(step), false, 0);
    known_[static_cast<size_t>(at)] = {{id, shape, Tensor()}};
  }

  // The slot in which the read step of `pin` gives the variable's value in another layout.
  uint32_t packed(uint32_t pin, const std::shared_ptr<const MemoryLayout>& layout) {
    Segment& s = *segment_;
    Step& read = s.steps[pin_steps_.at(pin)];
    for (uint32_t o = 0; o < read.num_outputs; ++o) {
      const uint32_t other = s.slots[s.args[read.first_arg + o]].representation;
      if (other != kNone && s.representations[other].layout->key() == layout->key()) return s.args[read.first_arg + o];
    }
    Slot slot = s.slots[pin];
    slot.bytes = layout->bytes();
    slot.representation = static_cast<uint32_t>(s.representations.size());
    s.representations.push_back({slot.index, layout});
    const uint32_t id = add_slot(slot);
    const auto first = static_cast<uint32_t>(s.args.size());  // the list of outputs moves to where it can grow
    for (uint32_t o = 0; o < read.num_outputs; ++o) s.args.push_back(s.args[read.first_arg + o]);
    s.args.push_back(id);
    read.first_arg = first;
    ++read.num_outputs;
    return id;
  }

  Known known(const Source& s, DType dtype) {
    if (s.kind == Source::Value) return known_[static_cast<size_t>(s.at)][static_cast<size_t>(s.index)];
    Known k;
    k.slot = feed_slot(s.at, dtype);
    k.shape = conditions_.feed_shapes[static_cast<size_t>(s.at)];
    if (const auto it = feed_constants_.find(static_cast<uint32_t>(s.at)); it != feed_constants_.end())
      k.constant = it->second;
    return k;
  }

  uint32_t feed_slot(int feed, DType dtype) {
    if (feed_slots_.empty()) feed_slots_.assign(conditions_.feed_shapes.size(), kNone);
    uint32_t& slot = feed_slots_[static_cast<size_t>(feed)];
    if (slot == kNone) {
      Slot s;
      s.memory = Memory::Feed;
      s.dtype = dtype;
      s.shape = conditions_.feed_shapes[static_cast<size_t>(feed)];
      s.bytes = static_cast<size_t>(s.shape.num_elements()) * dtype_size(dtype);
      s.index = static_cast<uint32_t>(feed);
      slot = add_slot(s);
    }
    return slot;
  }

  uint32_t add_slot(const Slot& slot) {
    segment_->slots.push_back(slot);
    return static_cast<uint32_t>(segment_->slots.size() - 1);
  }

  // The slot that a step reads the value from; a known value gets one when it is first needed.
  uint32_t slot_of(Known& k) {
    if (k.slot == kNone) {
      Slot s;
      s.memory = Memory::Constant;
      s.dtype = k.constant.dtype();
      s.shape = k.shape;
      s.bytes = k.constant.bytes();
      s.index = static_cast<uint32_t>(segment_->constants.size());
      segment_->constants.push_back(k.constant);
      k.slot = add_slot(s);
    }
    return k.slot;
  }

  uint32_t slot_of(const Source& s, DType dtype) {
    if (s.kind == Source::Feed) return feed_slot(s.at, dtype);
    return slot_of(known_[static_cast<size_t>(s.at)][static_cast<size_t>(s.index)]);
  }

  // Whether the inputs whose values were asked for are computed by the run; false where there is nothing to wait for.
  bool wait_for(const Item& item, uint64_t asked) {
    waiting_for_.clear();
    for (size_t i = 0; i < item.inputs.size(); ++i) {
      if (!(asked >> (i & 63) & 1) || item.inputs[i].kind == Source::Variable || constants_[i]) continue;
      waiting_for_.push_back(slot_of(item.inputs[i], item.node->input(static_cast<int>(i)).dtype()));
    }
    return !waiting_for_.empty();
  }

  void run_now(int at, const Node& node, const Kernel& kernel, size_t scratch_bytes) {
    std::vector<void*> pointers;
    std::vector<uint32_t> args;
    std::vector<Known> results;
    for (const Tensor& t : constant_values_) pointers.push_back(const_cast<void*>(t.raw()));
    for (size_t o = 0; o < output_shapes_.size(); ++o) {
      Tensor value(node.output_dtype(static_cast<int>(o)), output_shapes_[o]);
      pointers.push_back(value.raw());
      results.push_back({kNone, output_shapes_[o], value});
    }
    for (size_t i = 0; i < pointers.size(); ++i) args.push_back(static_cast<uint32_t>(i));
    BufferRef scratch;
    if (scratch_bytes) scratch = BufferRef(Buffer::allocate(scratch_bytes));
    const Cancellation never;
    KernelRun run(pointers.data(), args.data(), static_cast<uint32_t>(constant_values_.size()),
                  scratch ? scratch->data() : nullptr, &never);
    try {
      kernel.run(run);
    } catch (const Error& e) {
      if (!e.node().empty()) throw;
      fail(node, e.code(), e.what());
    }
    known_[static_cast<size_t>(at)] = std::move(results);
    ++segment_->num_steps_folded;
  }

  void add_step(int at, const Item& item, std::unique_ptr<Kernel> kernel, const KernelMake& make) {
    const Node& node = *item.node;
    Step step;
    step.node = &node;
    step.kernel = std::move(kernel);
    step.num_inputs = static_cast<uint32_t>(item.inputs.size());
    step.num_outputs = static_cast<uint32_t>(node.num_outputs());
    std::vector<uint32_t> args;
    step.first_write = static_cast<uint32_t>(segment_->writes.size());
    for (size_t i = 0; i < item.inputs.size(); ++i) {
      const Source& s = item.inputs[i];
      if (s.kind != Source::Variable) {
        args.push_back(slot_of(s, node.input(static_cast<int>(i)).dtype()));
        continue;
      }
      uint32_t slot = kNone;
      for (const VariableAccess& a : item.accesses) {
        if (a.input != static_cast<int>(i)) continue;
        Slot info;
        info.memory = Memory::Written;
        info.dtype = program_.variables[static_cast<size_t>(a.variable)]->attr<DType>("dtype");
        info.shape = input_shapes_[i];
        slot = add_slot(info);
        segment_->writes.push_back({static_cast<uint32_t>(a.variable), slot, a.access, input_shapes_[i]});
      }
      args.push_back(slot);
    }
    for (const auto& [input, layout] : make.layouts())
      args[static_cast<size_t>(input)] = packed(args[static_cast<size_t>(input)], layout);
    step.num_writes = static_cast<uint32_t>(segment_->writes.size()) - step.first_write;
    step.first_inner_write = static_cast<uint32_t>(segment_->inner_writes.size());
    for (const VariableAccess& a : item.accesses)
      if (a.input < 0 && a.access > Access::Read) segment_->inner_writes.push_back(static_cast<uint32_t>(a.variable));
    step.num_inner_writes = static_cast<uint32_t>(segment_->inner_writes.size()) - step.first_inner_write;
    std::vector<Known> results;
    for (int o = 0; o < node.num_outputs(); ++o) {
      Known k;
      k.shape = output_shapes_[static_cast<size_t>(o)];
      const bool value = !node.output_is_ref(o) && node.output_dtype(o) != DType::Resource;
      if (value && (!item.block || item.block->gives(o))) {
        Slot info;
        info.dtype = node.output_dtype(o);
        info.shape = k.shape;
        if (k.shape.fully_defined()) {
          info.memory = is_plain(info.dtype) ? Memory::Arena : Memory::Owned;
          info.bytes = static_cast<size_t>(k.shape.num_elements()) * dtype_size(info.dtype);
        } else {
          info.memory = Memory::Made;
          info.index = static_cast<uint32_t>(o);
        }
        k.slot = add_slot(info);
        if (info.memory == Memory::Made) {
          shape_slots_.push_back(k.slot);
          ends_ = true;
        }
      }
      args.push_back(k.slot);
      results.push_back(k);
    }
    const int index = static_cast<int>(segment_->steps.size());
    for (const auto& [input, output] : make.in_place()) {
      const uint32_t from = args[static_cast<size_t>(input)];
      const uint32_t to = args[item.inputs.size() + static_cast<size_t>(output)];
      if (from != kNone && to != kNone) in_place_.push_back({index, from, to});
    }
    step.first_arg = static_cast<uint32_t>(segment_->args.size());
    segment_->args.insert(segment_->args.end(), args.begin(), args.end());
    push_step(std::move(step), item.target || node.op().stateful || (item.block && item.block->stateful),
              make.scratch_bytes());
    known_[static_cast<size_t>(at)] = std::move(results);
  }

  void push_step(Step step, bool keep, size_t scratch) {
    keep_.push_back(keep || step.num_writes > 0);
    scratch_.push_back(scratch);
    segment_->steps.push_back(std::move(step));
  }

  void end_early(int at) {
    auto b = std::make_unique<Boundary>();
    b->next_item = at;
    if (!ends_) b->value_slots = waiting_for_;
    b->shape_slots = shape_slots_;
    b->shape_variables = shape_variables_;
    for (const auto* slots : {&b->value_slots, &b->shape_slots})
      for (uint32_t slot : *slots) segment_->slots[slot].escapes = true;
    const auto keep = [&](const Source& s, DType dtype) {
      if (s.kind == Source::Value && s.at >= at) return;
      if (s.kind == Source::Value) {
        Known& k = known_[static_cast<size_t>(s.at)][static_cast<size_t>(s.index)];
        if (k.slot != kNone) segment_->slots[k.slot].escapes = true;
      } else if (s.kind == Source::Feed && conditions_.feed_shapes[static_cast<size_t>(s.at)].fully_defined()) {
        segment_->slots[feed_slot(s.at, dtype)].escapes = true;
      }
    };
    for (size_t i = static_cast<size_t>(at); i < program_.items.size(); ++i)
      for (size_t k = 0; k < program_.items[i].inputs.size(); ++k)
        keep(program_.items[i].inputs[k], program_.items[i].node->input(static_cast<int>(k)).dtype());
    for (const Source& s : program_.fetches)
      keep(s, s.kind == Source::Feed ? program_.feed_types[static_cast<size_t>(s.at)] : DType::Invalid);
    b->known = known_;
    b->variable_shapes = variable_shapes_;
    b->feed_values = feed_constants_;
    segment_->boundary = std::move(b);
  }

  void add_result(int i) {
    const Source& s = program_.fetches[static_cast<size_t>(i)];
    Result r;
    if (s.kind == Source::Feed) {
      r.slot = feed_slots_.empty() ? kNone : feed_slots_[static_cast<size_t>(s.at)];
      if (r.slot == kNone) {
        Slot info;
        info.memory = Memory::Feed;
        info.index = static_cast<uint32_t>(s.at);
        r.slot = add_slot(info);
      }
      r.dtype = program_.feed_types[static_cast<size_t>(s.at)];
      r.shape = conditions_.feed_shapes[static_cast<size_t>(s.at)];
    } else {
      Known& k = known_[static_cast<size_t>(s.at)][static_cast<size_t>(s.index)];
      r.slot = slot_of(k);
      r.shape = k.shape;
      Slot& slot = segment_->slots[r.slot];
      r.dtype = slot.dtype;
      if (slot.memory == Memory::Arena) {
        slot.memory = Memory::Fetch;
        slot.index = static_cast<uint32_t>(i);
      }
    }
    segment_->results.push_back(r);
  }

  void drop_dead_steps() {
    Segment& s = *segment_;
    std::vector<char> needed(s.slots.size(), 0);
    for (size_t i = 0; i < s.slots.size(); ++i) needed[i] = s.slots[i].escapes ? 1 : 0;
    for (const Result& r : s.results) needed[r.slot] = 1;
    std::vector<char> keep = keep_;
    for (size_t i = s.steps.size(); i-- > 0;) {
      const Step& step = s.steps[i];
      for (uint32_t o = 0; o < step.num_outputs && !keep[i]; ++o) {
        const uint32_t slot = s.args[step.first_arg + step.num_inputs + o];
        if (slot != kNone && needed[slot]) keep[i] = 1;
      }
      if (!keep[i]) continue;
      for (uint32_t a = 0; a < step.num_inputs; ++a)
        if (const uint32_t slot = s.args[step.first_arg + a]; slot != kNone) needed[slot] = 1;
      if (!step.kernel) only_needed(s.steps[i], needed);
    }
    keep_steps(s, keep, in_place_, scratch_);
  }

  // Leaves out the layouts of a read that nobody takes.
  void only_needed(Step& read, const std::vector<char>& needed) {
    uint32_t* outputs = &segment_->args[read.first_arg];
    read.num_outputs = static_cast<uint32_t>(
        std::remove_if(outputs, outputs + read.num_outputs, [&](uint32_t slot) { return !needed[slot]; }) - outputs);
  }

  const Program& program_;
  const Conditions& conditions_;
  std::unique_ptr<Segment> segment_;
  int first_ = 0;
  std::vector<std::vector<Known>> known_;
  std::vector<Shape> variable_shapes_;
  std::vector<uint32_t> feed_slots_;
  std::map<uint32_t, Tensor> feed_constants_;
  std::vector<InPlace> in_place_;
  std::vector<size_t> scratch_;
  std::vector<char> keep_;
  std::vector<uint32_t> waiting_for_;
  std::unordered_map<uint32_t, size_t> pin_steps_;  // by slot: the step of this segment that reads a variable into it
  bool ends_ = false;  // the item at hand is the segment's last: only the run knows what follows from it
  std::vector<uint32_t> shape_slots_;
  std::vector<uint32_t> shape_variables_;
  // Of the item at hand.
  std::vector<Shape> input_shapes_;
  std::vector<Shape> output_shapes_;
  std::vector<Tensor> constant_values_;
  std::vector<const Tensor*> constants_;
};

}  // namespace

std::unique_ptr<Segment> specialise(const Program& program, const Conditions& conditions) {
  return Specialiser(program, conditions).build();
}

std::unique_ptr<Segment> specialise_next(const Program& program, const Conditions& conditions, const Segment& outer,
                                         std::span<const Tensor> values, std::span<const Shape> shapes) {
  Specialiser s(program, conditions);
  s.start_from(outer, values, shapes);
  return s.build();
}

}  // namespace vf::plan
