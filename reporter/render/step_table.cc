#include "reporter/render/step_table.h"

#include "reporter/mode/bit_table.h"
#include "reporter/render/mode_text.h"

namespace umaskaudit::render {

TextTable step_table(const std::vector<Step>& steps, const CreationFacts& facts) {
  TextTable table({{"STEP"}, {"SETS"}, {"CLEARS"}, {"MODE"}, {"RWX"}, {"WHY", Align::left, true}});
  for (const Step& step : steps) {
    // Bits that the call did not request are emphasized.
    const bool uncalled = step.sets != 0 && step.rule != Rule::requested;
    table.add({step_name(step),
               {step.sets == 0 ? "-" : octal(step.sets), uncalled ? Style::bad : Style::plain},
               {step.clears == 0 ? "-" : octal(step.clears),
                step.clears == 0 ? Style::plain : Style::warning},
               octal(step.mode),
               rwx(step.mode),
               step_reason(step, facts)});
  }
  return table;
}

}  // namespace umaskaudit::render
