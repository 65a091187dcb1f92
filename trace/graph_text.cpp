// Graphs as text: printed with stable numbering, and parsed back.
#include "trace/graph.hpp"

#include <map>

namespace fluxion {
namespace {

std::string name_of_value(ValueId v) { return "%" + std::to_string(v); }

std::string file_name(const Site& site) {
  const std::string_view path = site.file_name();
  const std::size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? path : path.substr(slash + 1));
}

void print(std::string& out, const Graph& g, bool sites, const std::string& indent, char end) {
  out += "graph(";
  for (std::int32_t i = 0; i < g.input_count(); ++i)
    out += (i ? ", " : "") + name_of_value(i) + ": " + to_string(g.type(i));
  out += ") {";
  out += end;
  for (const Operation& o : g.operations()) {
    out += indent;
    for (std::int32_t k = 0; k < o.result_count; ++k)
      out += (k ? ", " : "") + name_of_value(o.first_result + k);
    out += o.result_count ? " = " : "";
    out += o.op.name();
    out += o.op.attributes();
    for (std::size_t k = 0; k < o.operands.size(); ++k)
      out += (k ? ", " : " ") + name_of_value(o.operands[k]);
    out += " :";
    for (std::int32_t k = 0; k < o.result_count; ++k)
      out += (k ? ", " : " ") + to_string(g.type(o.first_result + k));
    if (sites)
      out += "  // " + file_name(o.site) + ":" + std::to_string(o.site.line());
    else if (end == ' ')
      out += ';';
    out += end;
  }
  out += indent + "return";
  for (std::size_t i = 0; i < g.outputs().size(); ++i)
    out += (i ? ", " : " ") + name_of_value(g.outputs()[i]);
  out += end;
  out += '}';
}

/// Reads graphs; regions inside attributes by recursion.
class GraphParser final : public AttributeParser {
 public:
  explicit GraphParser(std::string_view text) : AttributeParser(text), text_(text) {}

  GraphRef graph() {
    expect("graph");
    expect("(");
    GraphBuilder b;
    std::map<std::int64_t, ValueId> values;
    if (!try_take(")")) {
      do {
        const std::int64_t v = value();
        expect(":");
        values[v] = b.input(type());
      } while (try_take(","));
      expect(")");
    }
    expect("{");
    while (!try_take("return")) operation(b, values);
    std::vector<ValueId> outputs;
    if (peek() == '%') {
      do outputs.push_back(find(values, value()));
      while (try_take(","));
    }
    expect("}");
    return b.finish(std::move(outputs), false);
  }
  bool region(GraphRef& out) override {
    out = graph();
    return true;
  }
  void finish() {
    skip();
    if (!rest().empty()) complain("text after the program");
  }

 private:
  void skip() {
    for (;;) {
      skip_space();
      if (rest().substr(0, 2) != "//") return;
      advance(std::min(rest().find('\n'), rest().size()));
    }
  }
  char peek() {
    skip();
    return rest().empty() ? '\0' : rest().front();
  }
  bool try_take(std::string_view word) {
    skip();
    return take(word);
  }
  void expect(std::string_view word) {
    if (!try_take(word)) complain("expected '" + std::string(word) + "'");
  }
  [[noreturn]] void complain(const std::string& what) { complain_at(position(), what); }
  [[noreturn]] void complain_at(std::size_t where, const std::string& what) {
    std::size_t line = 1, column = 1;
    for (char c : text_.substr(0, where)) {
      ++column;
      if (c == '\n') {
        ++line;
        column = 1;
      }
    }
    fail("graph-syntax",
         Site::current(),
         "parse_graph: line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
             what,
         {"at: " + std::string(text_.substr(
                       where, std::min<std::size_t>(text_.find('\n', where) - where, 40)))});
  }
  std::int64_t number() {
    skip();
    const std::string_view w = word();
    std::int64_t v = 0;
    auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), v);
    if (error != std::errc() || end != w.data() + w.size()) complain("expected a number");
    return v;
  }
  std::int64_t value() {
    expect("%");
    return number();
  }
  ValueId find(const std::map<std::int64_t, ValueId>& values, std::int64_t v) {
    auto at = values.find(v);
    if (at == values.end()) complain("%" + std::to_string(v) + " is not defined");
    return at->second;
  }
  Type type() {
    skip();
    Type t;
    if (!detail::dtype_from(word(), t.dtype)) complain("expected a dtype");
    expect("[");
    if (!try_take("]")) {
      do {
        t.shape.push_back(number());
        if (t.shape[t.shape.size() - 1] < 0) complain("a size is negative");
      } while (try_take(","));
      expect("]");
    }
    return t;
  }
  void operation(GraphBuilder& b, std::map<std::int64_t, ValueId>& values) {
    std::vector<std::int64_t> results;
    if (peek() == '%') {
      do results.push_back(value());
      while (try_take(","));
      expect("=");
    }
    skip();
    const std::string_view name = word();
    Op op;
    const std::size_t begin = position();
    for (const Rules* rules : known_operations()) {
      if (rules->parse(name, *this, op)) break;
      if (position() != begin)
        complain("the attributes of " + std::string(name) + " are not what it prints");
    }
    if (!op)
      complain("there is no operation '" + std::string(name) + "', or its attributes are wrong");
    std::vector<ValueId> operands;
    if (peek() == '%') {
      do operands.push_back(find(values, value()));
      while (try_take(","));
    }
    expect(":");
    Types types;
    std::vector<std::size_t> places;
    if (!results.empty()) {
      do {
        skip();
        places.push_back(position());
        types.push_back(type());
      } while (try_take(","));
    }
    try_take(";");
    const ValueId first = b.add(op, operands, Site::current(), false);
    if (types.size() != results.size()) complain("another number of types than of results");
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ValueId v = first + static_cast<ValueId>(i);
      if (!(b.type(v) == types[i]))
        complain_at(
            places[i],
            std::string(name) + " gives " + to_string(b.type(v)) + ", not " + to_string(types[i]));
      values[results[i]] = v;
    }
  }

  std::string_view text_;
};

}  // namespace

std::string to_string(const Graph& g, bool sites) {
  std::string out;
  print(out, g, sites, "  ", '\n');
  return out + "\n";
}

std::string region_text(const Graph& g) {
  std::string out;
  print(out, g, false, "", ' ');
  return out;
}

GraphRef parse_graph(std::string_view text) {
  GraphParser parser(text);
  GraphRef g = parser.graph();
  parser.finish();
  return g;
}

}  // namespace fluxion
