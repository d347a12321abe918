// Programs of If and While with assigns in their bodies give what TensorFlow gives (tests/golden/make_control_flow.py
// has them in its words, under the same names).
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "plan/control_flow_programs.h"
#include "varflow/session.h"

namespace vf {
namespace {

using namespace control_flow;  // NOLINT: the words of the programs

std::map<std::string, std::string> golden() {
  std::ifstream file(VARFLOW_TEST_DATA "/control_flow.txt");
  std::map<std::string, std::string> result;
  for (std::string line; std::getline(file, line);)
    if (const size_t bar = line.find(" | "); line[0] != '#' && bar != std::string::npos)
      result[line.substr(0, bar)] = line.substr(bar + 3);
  return result;
}

// A program with the variable v = 1; `run` gives its results.
struct Case {
  Graph graph;
  Output v = handle(graph, "v", Shape{});
  Session session{graph, {.threads = 1}};
  std::vector<Tensor> results;

  Case() { session.set({{v, Tensor(1.0F)}}); }
  void run(const Fetches& fetches, const Feeds& feeds = {}) {
    for (Tensor& t : session.run(fetches, feeds)) results.push_back(std::move(t));
  }
  std::string text() {
    std::string s;
    for (const Tensor& t : results) s += t.str() + " ";
    return s + "-> " + session.get(v).str();
  }
};

using Build = void (*)(Case&);

void condition(Case& c, const Tensor& value) {
  const Function& yes = c.graph.add_function("yes", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("AddV2", {a[0], 1.0F})};
  });
  const Function& no = c.graph.add_function("no", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("Mul", {a[0], 2.0F})};
  });
  c.run({if_op(constant_of(c.graph, value), {constant_of(c.graph, Tensor(3.0F))}, yes, no)[0]});
}

const std::map<std::string, Build>& programs() {
  static const std::map<std::string, Build> all{
      {"branch_assigns",
       [](Case& c) {
         const Function& yes =
             c.graph.add_function("yes", {{DType::Resource}}, [](Graph& g, const Outputs& a) -> Outputs {
               const ControlDependencies after(g, std::vector<Node*>{add(a[0], 10.0F)});
               return {read(a[0])};
             });
         const Function& no =
             c.graph.add_function("no", {{DType::Resource}}, [](Graph& g, const Outputs& a) -> Outputs {
               const ControlDependencies after(g, std::vector<Node*>{add(a[0], -1.0F)});
               return {make("Mul", {read(a[0]), 2.0F})};
             });
         const Output p = placeholder_of(c.graph, DType::Bool, Shape{});
         const Output out = if_op(p, {c.v}, yes, no)[0];
         for (const bool pick : {true, false, true}) c.run({out}, {{p, Tensor(pick)}});
       }},
      {"effects_without_results",
       [](Case& c) {
         c.graph.add_function("yes", {{DType::Resource}}, [](Graph& g, const Outputs& a) -> Outputs {
           add(a[0], 10.0F);
           return {constant_of(g, Tensor(5.0F))};
         });
         c.graph.add_function("no", {{DType::Resource}},
                              [](Graph& g, const Outputs&) -> Outputs { return {constant_of(g, Tensor(6.0F))}; });
         c.run({make("StatelessIf", {constant_of(c.graph, Tensor(true)), c.v},
                     {{"Tout", std::vector<DType>{DType::Float}},
                      {"then_branch", FunctionName{"yes"}},
                      {"else_branch", FunctionName{"no"}}})});
       }},
      {"condition_bool_true", [](Case& c) { condition(c, Tensor(true)); }},
      {"condition_bool_false", [](Case& c) { condition(c, Tensor(false)); }},
      {"condition_int_two", [](Case& c) { condition(c, Tensor(2)); }},
      {"condition_int_zero", [](Case& c) { condition(c, Tensor(0)); }},
      {"condition_float_half", [](Case& c) { condition(c, Tensor(0.5F)); }},
      {"condition_float_zero", [](Case& c) { condition(c, Tensor(0.0F)); }},
      {"condition_long_three", [](Case& c) { condition(c, Tensor(int64_t{3})); }},
      {"condition_string_full", [](Case& c) { condition(c, Tensor("a")); }},
      {"condition_string_empty", [](Case& c) { condition(c, Tensor("")); }},
      {"condition_vector_of_false", [](Case& c) { condition(c, Tensor::vector<bool>({false})); }},
      {"condition_vector_empty", [](Case& c) { condition(c, Tensor(DType::Bool, Shape{0})); }},
      {"loop_sums",
       [](Case& c) {
         const Outputs out = turns(c.graph, "sum", 10, {c.v}, [](Graph&, const Outputs& a) -> Outputs {
           add(a[1], to_float(a[0]));
           return {a[1]};
         });
         c.run({out[0]});
       }},
      {"no_turns",
       [](Case& c) {
         const Output x = constant_of(c.graph, Tensor::vector<float>({4, 5}));
         const Outputs out = turns(c.graph, "none", 0, {x, c.v}, [](Graph&, const Outputs& a) -> Outputs {
           add(a[2], 1.0F);
           return {make("AddV2", {a[1], 1.0F}), a[2]};
         });
         c.run({out[0], out[1]});
       }},
      {"numeric_loop_condition",
       [](Case& c) {
         const std::vector<FunctionArgument> arguments{{DType::Int32}, {DType::Resource}};
         c.graph.add_function("cond", arguments, [](Graph&, const Outputs& a) -> Outputs {
           return {make("Sub", {5, a[0]})};
         });
         c.graph.add_function("step", arguments, [](Graph&, const Outputs& a) -> Outputs {
           add(a[1], 1.0F);
           return {make("AddV2", {a[0], 1}), a[1]};
         });
         c.run({make("StatelessWhile", {constant_of(c.graph, Tensor(0)), c.v},
                     {{"cond", FunctionName{"cond"}}, {"body", FunctionName{"step"}}})});
       }},
      {"swapped_and_invariant",
       [](Case& c) {
         const Outputs out = turns(c.graph, "fibonacci", 7,
                                   {constant_of(c.graph, Tensor(0.0F)), constant_of(c.graph, Tensor(1.0F)),
                                    constant_of(c.graph, Tensor(9.0F))},
                                   [](Graph&, const Outputs& a) -> Outputs {
                                     return {a[2], make("AddV2", {a[1], a[2]}), a[3]};
                                   });
         c.run({out[1], out[2], out[3]});
       }},
      {"assigns_around_a_loop",
       [](Case& c) {
         make_assign(c.v, 5.0F);
         Node* const first = c.graph.node(c.graph.num_nodes() - 1);
         const Outputs out = turns(c.graph, "loop", 3, {c.v}, [](Graph&, const Outputs& a) -> Outputs {
           add(a[1], 1.0F);
           return {a[1]};
         });
         Node* const last = add(c.v, 100.0F);
         const Output now = read(c.v);
         c.run({Fetch(first), out[0], Fetch(last), now});
         std::erase_if(c.results, [](const Tensor& t) { return !t.valid(); });
       }},
      {"handle_that_a_loop_gives",
       [](Case& c) {
         const Outputs out = turns(c.graph, "loop", 4, {c.v}, [](Graph&, const Outputs& a) -> Outputs {
           add(a[1], 2.0F);
           return {a[1]};
         });
         c.run({read(out[1])});
       }},
      {"nested_loops_in_branches",
       [](Case& c) {
         const std::vector<FunctionArgument> arguments{{DType::Int32}, {DType::Resource}};
         const Function& even = c.graph.add_function("even", arguments, [](Graph& g, const Outputs& a) -> Outputs {
           const ControlDependencies after(g, std::vector<Node*>{add(a[1], read(a[1]))});
           return {constant_of(g, Tensor(1.0F))};
         });
         const Function& odd = c.graph.add_function("odd", arguments, [](Graph& g, const Outputs& a) -> Outputs {
           const std::vector<FunctionArgument> inner{{DType::Int32}, {DType::Int32}, {DType::Resource}};
           const Function& less = g.add_function("less", inner, [](Graph&, const Outputs& b) -> Outputs {
             return {make("Less", {b[0], b[1]})};
           });
           const Function& step = g.add_function("inner", inner, [](Graph&, const Outputs& b) -> Outputs {
             add(b[2], 1.0F);
             return {make("AddV2", {b[0], 1}), b[1], b[2]};
           });
           return {to_float(while_op({constant_of(g, Tensor(0)), a[0], a[1]}, less, step)[0])};
         });
         const Outputs out = turns(c.graph, "outer", 6, {constant_of(c.graph, Tensor(0.0F)), c.v},
                                   [&](Graph&, const Outputs& a) -> Outputs {
                                     const Output is_even = make("Equal", {make("FloorMod", {a[0], 2}), 0});
                                     return {make("AddV2", {a[1], if_op(is_even, {a[0], a[2]}, even, odd)[0]}), a[2]};
                                   });
         c.run({out[0], out[1]});
       }},
      {"growing_shape",
       [](Case& c) {
         const Outputs out = turns(c.graph, "grow", 2, {constant_of(c.graph, Tensor::vector<float>({1, 2}))},
                                   [](Graph&, const Outputs& a) -> Outputs {
                                     return {make("ConcatV2", {a[1], a[1], 0})};
                                   });
         const Output total = make("AddV2", {make("Sum", {out[1], 0}), 1.0F});
         c.run({out[1], total});
         c.run({total});
       }},
      {"branches_of_two_shapes",
       [](Case& c) {
         const Function& yes = c.graph.add_function("yes", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
           return {make("ConcatV2", {a[0], a[0], 0})};
         });
         const Function& no =
             c.graph.add_function("no", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs { return {a[0]}; });
         const Output p = placeholder_of(c.graph, DType::Bool, Shape{});
         const Output x = constant_of(c.graph, Tensor::vector<float>({1, 2}));
         const Output product = make("Mul", {if_op(p, {x}, yes, no)[0], 3.0F});
         for (const bool pick : {true, false, true}) c.run({product}, {{p, Tensor(pick)}});
       }},
      {"growing_shape_in_a_branch",
       [](Case& c) {
         const std::vector<FunctionArgument> arguments{{DType::Float}, {DType::Resource}};
         const Function& yes = c.graph.add_function("yes", arguments, [](Graph& g, const Outputs& a) -> Outputs {
           return {turns(g, "grow", 3, {a[0], a[1]}, [](Graph&, const Outputs& b) -> Outputs {
             add(b[2], make("Sum", {b[1], 0}));
             return {make("ConcatV2", {b[1], Tensor::vector<float>({1}), 0}), b[2]};
           })[1]};
         });
         const Function& no =
             c.graph.add_function("no", arguments, [](Graph&, const Outputs& a) -> Outputs { return {a[0]}; });
         const Output p = placeholder_of(c.graph, DType::Bool, Shape{});
         const Output out = if_op(p, {constant_of(c.graph, Tensor::vector<float>({2})), c.v}, yes, no)[0];
         for (const bool pick : {false, true}) c.run({out}, {{p, Tensor(pick)}});
       }},
      {"variable_that_grows",
       [](Case& c) {
         const Output w = handle(c.graph, "w", Shape::unknown());
         const Outputs out = turns(c.graph, "grow", 2, {w}, [](Graph&, const Outputs& a) -> Outputs {
           const Output now = read(a[1]);
           make_assign(a[1], make("ConcatV2", {now, now, 0}));
           return {a[1]};
         });
         c.session.set({{w, Tensor::vector<float>({1})}});
         c.run({out[0], read(w)});
       }},
      {"branches_that_give_a_variable_two_shapes",
       [](Case& c) {
         const Output w = handle(c.graph, "w", Shape::unknown());
         const auto assigns = [](const Tensor& value) -> FunctionBody {
           return [value](Graph& g, const Outputs& a) -> Outputs {
             make_assign(a[0], value);
             return {constant_of(g, Tensor(1.0F))};
           };
         };
         const Function& yes = c.graph.add_function("yes", {{DType::Resource}}, assigns(Tensor::vector<float>({1, 2})));
         const Function& no =
             c.graph.add_function("no", {{DType::Resource}}, assigns(Tensor::vector<float>({1, 2, 3})));
         const Output p = placeholder_of(c.graph, DType::Bool, Shape{});
         const Output out = if_op(p, {w}, yes, no)[0];
         const ControlDependencies after(c.graph, {out});
         const Output now = make("Mul", {read(w), 2.0F});
         for (const bool pick : {true, false, true}) c.run({now}, {{p, Tensor(pick)}});
       }},
      {"uninitialized_in_the_other_branch",
       [](Case& c) {
         const Output w = handle(c.graph, "w", Shape::unknown());
         const Function& yes = c.graph.add_function("yes", {{DType::Resource}},
                                                    [](Graph&, const Outputs& a) -> Outputs { return {read(a[0])}; });
         const Function& no = c.graph.add_function("no", {{DType::Resource}}, [](Graph& g, const Outputs&) -> Outputs {
           return {constant_of(g, Tensor(6.0F))};
         });
         const Output p = placeholder_of(c.graph, DType::Bool, Shape{});
         const Output out = if_op(p, {w}, yes, no)[0];
         c.run({out}, {{p, Tensor(false)}});
         EXPECT_THROW(c.session.run(out, {{p, Tensor(true)}}), Error);
         c.session.set({{w, Tensor(7.0F)}});
         c.run({out}, {{p, Tensor(true)}});
       }},
  };
  return all;
}

TEST(ControlFlow, GivesWhatTensorFlowGives) {
  const auto expected = golden();
  EXPECT_EQ(expected.size(), programs().size());
  for (const auto& [name, build] : programs()) {
    SCOPED_TRACE(name);
    const auto it = expected.find(name);
    ASSERT_NE(it, expected.end());
    Case c;
    ASSERT_NO_THROW(build(c));
    EXPECT_EQ(c.text(), it->second);
  }
}

}  // namespace
}  // namespace vf
