// SHOW ADMISSION: what each class of work has asked for and got. A pool's own numbers are repeated
// in each of its rows.
#include <algorithm>

#include "proxy/console/show.hpp"

namespace weirpool::console {

Rows admission(const Report& report) {
  Rows rows;
  for (const auto& [name, pool] : report.numbers.pools) {
    for (std::size_t i = 0; i < metrics::kClasses; ++i) {
      const metrics::ClassNumbers& numbers = pool.classes[i];
      if (numbers.offered == 0) continue;
      std::vector<Cell> row{name.backend,
                            name.database,
                            name.user,
                            std::string(metrics::kClassLabels[i]),
                            number(numbers.offered),
                            number(numbers.admitted),
                            number(numbers.all_shed())};
      for (const std::uint64_t shed : numbers.shed) row.push_back(number(shed));
      row.push_back(small(static_cast<std::uint64_t>(std::max<std::int64_t>(pool.waiting, 0))));
      row.push_back(small(pool.overloaded > 0 ? std::uint64_t{1} : std::uint64_t{0}));
      row.push_back(number(pool.overloads));
      row.push_back(small(pool.sources.size()));
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace weirpool::console
