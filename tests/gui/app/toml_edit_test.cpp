// SPDX-License-Identifier: GPL-3.0-or-later
// Edits of single values: the rest of the text stays as it is, byte for byte.
#include "cli/run_cli.hpp"

#include <app/schema_fields.hpp>
#include <app/toml_edit.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <QFile>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace chokepoint::gui {

using test::read_file;
using testing::HasSubstr;

namespace {

std::vector<std::string> scenarios() {
    std::vector<std::string> texts;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("scenarios")) {
        if (entry.path().extension() == ".toml") {
            texts.push_back(read_file(entry.path()));
        }
    }
    std::ranges::sort(texts);
    return texts;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

} // namespace

RC_GTEST_PROP(TomlEdit, ChangesTheLineOfItsKeyAndNoOther, ()) {
    static const std::vector<std::string> texts = scenarios();
    const std::string text = *rc::gen::elementOf(texts);
    const auto index = index_toml(text);
    RC_ASSERT(index.has_value());
    std::vector<std::string> keys;
    for (const auto& [key, value] : index->values) {
        keys.push_back(key);
    }
    const std::string key = *rc::gen::elementOf(keys);
    const TomlValue before = index->values.at(key);
    const auto same = set_toml(text, key, text.substr(before.begin, before.end - before.begin));
    RC_ASSERT(same == text);

    const auto after = set_toml(text, key, "\"changed # by the test\"");
    RC_ASSERT(after.has_value());
    RC_ASSERT(index_toml(*after)->values.at(key).text == "changed # by the test");
    const auto old_lines = lines_of(text);
    const auto new_lines = lines_of(*after);
    const auto last = before.line + std::count(text.begin() + std::ptrdiff_t(before.begin),
                                               text.begin() + std::ptrdiff_t(before.end), '\n');
    for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(before.line); ++i) {
        RC_ASSERT(old_lines[i] == new_lines[i]);
    }
    for (std::size_t i = 0; i + static_cast<std::size_t>(last) < old_lines.size(); ++i) {
        RC_ASSERT(old_lines[old_lines.size() - 1 - i] == new_lines[new_lines.size() - 1 - i]);
    }
}

RC_GTEST_PROP(TomlEdit, TakesBackWhatItAdds, ()) {
    static const std::vector<std::string> texts = scenarios();
    const std::string text = *rc::gen::elementOf(texts);
    const std::string key =
        *rc::gen::element<std::string>("cluster.caps.nvlink", "plan.zz", "energy.pue", "zz", "model.moe.zz");
    const auto index = index_toml(text);
    RC_PRE(!index->values.contains(key) && !text.empty() && text.back() == '\n');
    const auto with = set_toml(text, key, "17");
    RC_ASSERT(with.has_value());
    RC_ASSERT(index_toml(*with)->values.at(key).text == "17");
    const auto without = remove_toml(*with, key);
    RC_ASSERT(without.has_value());
    // A table that had to be made stays, empty.
    RC_ASSERT(without->starts_with(text));
    RC_ASSERT(index_toml(*without)->values.size() == index->values.size());
}

TEST(TomlEdit, PutsNewKeysAtTheEndOfTheirTable) {
    EXPECT_EQ(set_toml("[a]\nx = 1 # one\n\n[b]\ny = 2\n", "a.z", "3"),
              "[a]\nx = 1 # one\nz = 3\n\n[b]\ny = 2\n");
    EXPECT_EQ(set_toml("[a]\nx = 1\n", "c.d.e", "true"), "[a]\nx = 1\n\n[c]\nd.e = true\n");
    EXPECT_EQ(set_toml("[a]\ncaps = { x = 1 }\n", "a.caps.y", "2"), "[a]\ncaps = { x = 1, y = 2 }\n");
    EXPECT_EQ(set_toml("[a]\r\nx = 1", "a.y", "2"), "[a]\r\nx = 1\r\ny = 2\r\n");
    EXPECT_EQ(set_toml("", "title", "\"t\""), "title = \"t\"\n");
    EXPECT_EQ(set_toml("# about\n[a]\nx = 1\n", "title", "\"t\""), "title = \"t\"\n# about\n[a]\nx = 1\n");
}

TEST(TomlEdit, LeavesTextsAloneThatItCannotEdit) {
    EXPECT_EQ(set_toml("[a\n", "a.x", "1"), std::nullopt);
    EXPECT_EQ(set_toml("a = 3\n", "a.x", "1"), std::nullopt) << "a is a number, no table";
    EXPECT_EQ(remove_toml("x = 1\n", "y"), "x = 1\n");
}

TEST(TomlEdit, TakesSingleKeysOutOfInlineTables) {
    const std::string text = "a = { x = 1, y = \"2, { 3\", z = 4 } # all\n";
    EXPECT_EQ(remove_toml(text, "a.x"), "a = { y = \"2, { 3\", z = 4 } # all\n");
    EXPECT_EQ(remove_toml(text, "a.y"), "a = { x = 1, z = 4 } # all\n");
    EXPECT_EQ(remove_toml(text, "a.z"), "a = { x = 1, y = \"2, { 3\" } # all\n");
    EXPECT_EQ(remove_toml("a = { x = 1 }\n", "a.x"), "");
}

TEST(TomlEdit, CountsCharactersRatherThanBytes) {
    EXPECT_EQ(set_toml("a = \"ééé\" # ü\nb = \"日本\" # x\n", "b", "2"), "a = \"ééé\" # ü\nb = 2 # x\n");
}

TEST(TomlEdit, TellsTablesOfArraysApart) {
    const std::string text = "[[perturb]]\ngpu = 1 # one\nspeed = 0.8\n\n[[perturb]]\nnode = 2\n";
    EXPECT_EQ(index_toml(text)->tables.at("perturb"), 2);
    EXPECT_EQ(index_toml(text)->values.at("perturb[1].node").text, "2");
    EXPECT_EQ(set_toml(text, "perturb[0].speed", "0.5"),
              "[[perturb]]\ngpu = 1 # one\nspeed = 0.5\n\n[[perturb]]\nnode = 2\n");
    EXPECT_EQ(set_toml(text, "perturb[1].speed", "0.5"), text + "speed = 0.5\n");
    EXPECT_EQ(remove_toml(text, "perturb[0].speed"), "[[perturb]]\ngpu = 1 # one\n\n[[perturb]]\nnode = 2\n");
    EXPECT_EQ(set_toml(text, "perturb[2].speed", "0.5"), std::nullopt) << "there is no third";
    EXPECT_EQ(set_toml(add_toml_table(text, "perturb"), "perturb[2].speed", "0.5"),
              text + "\n[[perturb]]\nspeed = 0.5\n");
    const std::string inline_tables = "perturb = [{gpu = 1}, {gpu = 2}]\n";
    EXPECT_EQ(set_toml(inline_tables, "perturb[1].gpu", "3"), "perturb = [{gpu = 1}, {gpu = 3}]\n");
    EXPECT_EQ(set_toml("[[campaign.phase]]\nname = \"a\"\n[campaign.phase.plan]\nzero = 1\n",
                       "campaign.phase[0].plan.zero", "0"),
              "[[campaign.phase]]\nname = \"a\"\n[campaign.phase.plan]\nzero = 0\n");
}

TEST(TomlEdit, SpellsOutWhatIsShortForAKeyOfATable) {
    EXPECT_EQ(spell_out_toml("[cluster]\nfabric = \"fat-tree\" # cheap\n", "cluster.fabric", "name"),
              "[cluster]\nfabric.name = \"fat-tree\" # cheap\n");
    EXPECT_EQ(spell_out_toml("[cluster]\n", "cluster.fabric", "name"), std::nullopt);
}

TEST(FormSchema, HoldsTheKeysOfTablesInArraysAndOfAlternatives) {
    const FormSchema form =
        read_form_schema(QByteArray::fromStdString(read_file("docs/schema/scenario.schema.json")));
    const auto has = [](const std::vector<Field>& fields, const char* key) {
        return std::ranges::find(fields, QString(key), &Field::key) != fields.end();
    };
    EXPECT_TRUE(has(form.fields, "cluster.fabric"));
    EXPECT_TRUE(has(form.fields, "cluster.fabric.radix"));
    EXPECT_FALSE(has(form.fields, "cluster.fabric.name")) << "it is cluster.fabric";
    const auto perturb =
        std::ranges::find(form.tables, QString("perturb"),
                          [](const FormSchema::Tables& tables) { return tables.section.name; });
    ASSERT_NE(perturb, form.tables.end());
    EXPECT_TRUE(has(perturb->fields, "perturb[0].speed"));
    EXPECT_EQ(field_of_table(*perturb, perturb->fields.front(), 3).section, "perturb[3]");
}

TEST(FormSchema, HoldsEveryKeyWithItsKindAndCatalog) {
    const FormSchema form =
        read_form_schema(QByteArray::fromStdString(read_file("docs/schema/scenario.schema.json")));
    const auto field = [&](const char* key) {
        const auto found = std::ranges::find(form.fields, QString(key), &Field::key);
        EXPECT_NE(found, form.fields.end()) << key;
        return *found;
    };
    EXPECT_EQ(field("cluster.gpu").catalog, "gpus");
    EXPECT_EQ(field("cluster.caps.nvlink").kind, FieldKind::quantity);
    EXPECT_EQ(field("plan.expert").kind, FieldKind::integer);
    EXPECT_EQ(field("plan.expert").minimum, 1.0);
    EXPECT_EQ(field("plan.enforce_memory").kind, FieldKind::boolean);
    EXPECT_TRUE(field("plan.schedule").choices.contains("dualpipe"));
    EXPECT_TRUE(field("plan.schedule").open);
    EXPECT_TRUE(field("plan.recompute").choices.contains("norm"));
    EXPECT_EQ(field("cost.premiums").catalog, "premiums");
    EXPECT_EQ(literal_of(field("plan.expert"), " 64 "), "64");
    EXPECT_EQ(literal_of(field("cluster.caps.nvlink"), "400 GB/s"), "\"400 GB/s\"");
    EXPECT_EQ(literal_of(field("plan.split"), "3, 4"), "[3, 4]");
    EXPECT_EQ(literal_of(field("title"), "a \"b\""), "\"a \\\"b\\\"\"");
}

} // namespace chokepoint::gui
