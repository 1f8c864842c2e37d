// SPDX-License-Identifier: Apache-2.0
#include "nbs/options.h"

#include "error_text.h"

using namespace nbs;
using doctest::Contains;

namespace {

enum class Color { red, green };

struct Options {
  bool flag = true;
  std::int64_t count = 7;
  double share = 0.25;
  std::string title = "a";
  Color color = Color::green;
  std::vector<std::int64_t> sizes = {1, 2};
  std::vector<double> weights = {0.5};
  std::vector<std::string> words = {"x"};
  std::vector<Color> colors = {Color::red, Color::green};

  static void declare(Schema<Options>& s) {
    s.add("flag", &Options::flag);
    s.add("count", &Options::count).range(1, 9);
    s.add("share", &Options::share).range(0, 1).formerly("part");
    s.add("title", &Options::title).choices({"a", "b"});
    s.add("color", &Options::color).choices({{"red", Color::red}, {"green", Color::green}});
    s.add("sizes", &Options::sizes).at_least(1);
    s.add("weights", &Options::weights);
    s.add("words", &Options::words);
    s.add("colors", &Options::colors).choices({{"red", Color::red}, {"green", Color::green}});
  }
};

template <typename Wrong>
doctest::String declaration_error() {
  return test::error_text([] { schema_of<Wrong>(); });
}

}  // namespace

TEST_CASE("defaults are those of the struct, and an enumeration's is its word") {
  std::vector<std::string> texts;
  const auto schema = schema_of<Options>();
  for (const auto& spec : schema.specs())
    texts.push_back(spec.name + " = " + to_text(spec.default_value));
  CHECK(texts == std::vector<std::string>{"flag = true", "count = 7", "share = 0.25", "title = \"a\"",
                                          "color = \"green\"", "sizes = [1, 2]", "weights = [0.5]", "words = [\"x\"]",
                                          "colors = [\"red\", \"green\"]"});
  const auto made = schema_of<Options>().make();
  CHECK(made.count == 7);
  CHECK(made.color == Color::green);
  CHECK(made.colors == std::vector<Color>{Color::red, Color::green});
}

TEST_CASE("values of every type reach their members") {
  const auto made = schema_of<Options>().make({{"flag", false},
                                               {"count", std::int64_t{9}},
                                               {"share", std::int64_t{1}},
                                               {"title", std::string("b")},
                                               {"color", std::string("red")},
                                               {"sizes", std::vector<std::int64_t>{3}},
                                               {"weights", std::vector<std::int64_t>{2, 3}},
                                               {"words", std::vector<std::int64_t>{}},
                                               {"colors", std::vector<std::string>{"green"}}});
  CHECK_FALSE(made.flag);
  CHECK(made.count == 9);
  CHECK(made.share == 1.0);
  CHECK(made.title == "b");
  CHECK(made.color == Color::red);
  CHECK(made.sizes == std::vector<std::int64_t>{3});
  CHECK(made.weights == std::vector<double>{2, 3});
  CHECK(made.words.empty());  // an empty list has no type of its own
  CHECK(made.colors == std::vector<Color>{Color::green});
}

TEST_CASE("a value that is not allowed is refused with the value and what is allowed") {
  const auto refusal = [](const char* name, const Value& value) {
    return test::error_text([&] { schema_of<Options>().make({{name, value}}); });
  };
  CHECK(refusal("count", std::int64_t{0}) == "the option 'count' must be at least 1, but is 0");
  CHECK(refusal("color", std::string("blue")) ==
        "the option 'color' must be one of \"red\", \"green\", but is \"blue\"");
  CHECK(refusal("colors", std::vector<std::string>{"red", "blue"}) == Contains("but is \"blue\""));
  CHECK(refusal("color", std::int64_t{0}) == Contains("must be of type text, but is the integer 0"));
  CHECK(refusal("hue", std::string("red")) == Contains("there is no option 'hue'"));
}

TEST_CASE("words and values of an enumeration are turned into each other") {
  const ChoiceNames<Color> names = {{"red", Color::red}, {"green", Color::green}};
  CHECK(choice_name(Color::green, names) == "green");
  CHECK(choice_value(std::string("red"), names) == Color::red);
  CHECK(test::error_text([&] { choice_value(std::string("blue"), names); }) == "\"blue\" is none of: red, green");
}

TEST_CASE("a declaration that cannot work is an error") {
  struct Nameless {
    Color color = Color::red;
    static void declare(Schema<Nameless>& s) { s.add("color", &Nameless::color); }
  };
  struct Twice {
    bool flag = false;
    static void declare(Schema<Twice>& s) {
      s.add("flag", &Twice::flag);
      s.add("flag", &Twice::flag);
    }
  };
  struct DefaultWithoutName {
    Color color = Color::green;
    static void declare(Schema<DefaultWithoutName>& s) {
      s.add("color", &DefaultWithoutName::color).choices({{"red", Color::red}});
    }
  };
  CHECK(declaration_error<Nameless>() == Contains("the option 'color' is an enumeration whose values have no names"));
  CHECK(declaration_error<Twice>() == Contains("declared twice"));
  CHECK(declaration_error<DefaultWithoutName>() == Contains("has no name among its choices"));
}

TEST_CASE("the options of a part have a prefix, the whole's defaults, and reach its members") {
  struct Whole {
    std::int64_t count = 3;
    Options first;
    Options second;

    Whole() { second.share = 0.75; }
    static void declare(Schema<Whole>& s) {
      s.add("count_all", &Whole::count);
      s.add_part("", &Whole::first);
      s.add_part("second_", &Whole::second);
    }
  };
  const auto schema = schema_of<Whole>();
  const auto own = schema_of<Options>().specs();
  REQUIRE(schema.specs().size() == 1 + 2 * own.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto& of_second = schema.specs()[1 + own.size() + i];
    CHECK(schema.specs()[1 + i].name == own[i].name);
    CHECK(of_second.name == "second_" + own[i].name);
    CHECK(of_second.minimum == own[i].minimum);
    CHECK(of_second.choices == own[i].choices);
    CHECK(own[i].former.empty() == (own[i].name != "share"));
    CHECK(schema.specs()[1 + i].former.empty());  // or two options could have had one name
    CHECK(of_second.former.empty());
    CHECK(to_text(of_second.default_value) == (own[i].name == "share" ? "0.75" : to_text(own[i].default_value)));
  }
  const auto made = schema.make({{"second_color", std::string("red")}, {"count", std::int64_t{8}}});
  CHECK(made.count == 3);
  CHECK(made.first.count == 8);
  CHECK(made.first.color == Color::green);
  CHECK(made.second.count == 7);
  CHECK(made.second.color == Color::red);
  CHECK(made.second.share == 0.75);
  CHECK(test::error_text([&] { schema.make({{"second_count", std::int64_t{10}}}); }) ==
        Contains("the option 'second_count'"));
}

TEST_CASE("a part whose options have names that are taken is refused, and one whose words have none") {
  struct Taken {
    std::int64_t count = 3;
    Options part;
    static void declare(Schema<Taken>& s) {
      s.add("my_count", &Taken::count);
      s.add_part("my_", &Taken::part);
    }
  };
  struct Words {
    Color color = Color::red;
    static void declare(Schema<Words>& s) { s.add("color", &Words::color); }
  };
  struct Wordless {
    Words part;
    static void declare(Schema<Wordless>& s) { s.add_part("my_", &Wordless::part); }
  };
  CHECK(declaration_error<Taken>() == Contains("'my_count' is declared twice"));
  CHECK(declaration_error<Wordless>() == Contains("the option 'my_color' is an enumeration whose values have no names"));
}

TEST_CASE("reals are written out while people would write them out, and read back to the same bits") {
  for (const auto& [value, text] : std::vector<std::pair<double, std::string>>{{80, "80.0"},
                                                                               {0.1, "0.1"},
                                                                               {0.0001, "0.0001"},
                                                                               {0.00001, "1e-05"},
                                                                               {1e6, "1000000.0"},
                                                                               {123456789.5, "123456789.5"},
                                                                               {1e14, "100000000000000.0"},
                                                                               {1e15, "1e+15"},
                                                                               {1.0 / 3, "0.3333333333333333"},
                                                                               {-2.5, "-2.5"}}) {
    CHECK(to_text(Value{value}) == text);
    CHECK(std::stod(text) == value);
  }
}
