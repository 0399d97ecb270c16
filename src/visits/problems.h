// Every problem code the visits API answers, in one table: status, title, remedy (visit-api.md §3.7).
#pragma once

#include <span>
#include <string_view>

#include "http/problem.h"
#include "visits/failure.h"

namespace visits {

struct ProblemKind {
  std::string_view code;
  int status;
  std::string_view title;
  std::string_view remedy;
};

std::span<const ProblemKind> problem_kinds();
const ProblemKind* find_problem_kind(std::string_view code);
// A code that is not in the table is a bug and answers internal_error.
http::Problem to_problem(const Failure& failure);
// The page behind /problems/<code>, for people.
std::string problem_page(const ProblemKind& kind);

}  // namespace visits
