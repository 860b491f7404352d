#include "sim/report/table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace brownout::sim {
namespace {

// Of UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string in_csv(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string text_of(const Table& table, std::size_t indent) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : table.header) widths.push_back(width_of(cell));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string space(widths[i] - width_of(cells[i]), ' ');
      if (i > 0) line += "  ";
      line += i < table.left ? cells[i] + space : space + cells[i];
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + '\n';
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return text;
}

std::string markdown_of(const Table& table) {
  std::string text;
  const auto add = [&text](const std::vector<std::string>& cells) {
    text += '|';
    for (const std::string& cell : cells) text += fmt::format(" {} |", escape_markdown(cell));
    text += '\n';
  };
  add(table.header);
  text += '|';
  for (std::size_t i = 0; i < table.header.size(); ++i) text += i < table.left ? "---|" : "--:|";
  text += '\n';
  for (const auto& row : table.rows) add(row);
  return text;
}

std::string html_of(const Table& table) {
  std::string text = "<table>\n<thead><tr>";
  for (const std::string& cell : table.header)
    text += fmt::format("<th scope=\"col\">{}</th>", escape_html(cell));
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    text += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", escape_html(row[i]))
                     : fmt::format("<td>{}</td>", escape_html(row[i]));
    }
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

std::string csv_of(const Table& table) {
  std::string text;
  const auto add = [&text](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? "," : "") + in_csv(cells[i]);
    text += '\n';
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return text;
}

std::string escape_markdown(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
      continue;
    }
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_') escaped += '\\';
    escaped += c == '\n' || c == '\r' ? ' ' : c;
  }
  return escaped;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace brownout::sim
