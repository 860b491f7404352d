// Rows of cells, as text, Markdown, HTML or CSV.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brownout::sim {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as many cells as the header has
  std::size_t left = 1;                        // so many columns are aligned left, the others right
};

// Columns two spaces apart, indented by `indent`; widths are counted in characters.
std::string text_of(const Table& table, std::size_t indent);
std::string markdown_of(const Table& table);
std::string html_of(const Table& table);
// RFC 4180 with line feeds: quoted where it has to be.
std::string csv_of(const Table& table);

// For text in a line of Markdown.
std::string escape_markdown(std::string_view text);
// For text between tags and in attributes.
std::string escape_html(std::string_view text);

}  // namespace brownout::sim
