/** Rubrics to choose from by name: what is judged, and what the ends and the middle of the scale stand for. */
export const rubrics = {
  helpfulness: `How well the answer serves the person who asked.
Lowest: it does not help, misleads, or answers another question.
Middle: it helps in part; something that was asked for is missing, vague or wrong.
Highest: it does all that was asked, is right, clear and of a fitting length.`,
  correctness: `Whether what the answer says is true; where there is a reference answer, whether it says the same.
Lowest: its main statement is wrong.
Middle: the main statement holds, but parts are wrong or missing.
Highest: everything it says is right, and nothing that matters is missing. Other words for the same count as the same.`,
  faithfulness: `Whether everything in the answer follows from the given material.
Lowest: its main statements are not in the material, or contradict it.
Middle: the main statements are, but it adds or changes details.
Highest: every statement follows from the material.`,
  instruction_following: `Whether the answer does what the instruction says: content, form, length, language.
Lowest: it does something else.
Middle: it does the main thing, but breaks a condition, or adds what was not asked for.
Highest: it does precisely what the instruction says, no more and no less. Style and detail beyond that do not count.`,
  clarity: `How easily the answer is read and understood.
Lowest: it cannot be understood.
Middle: it can, with effort: order, wording or length get in the way.
Highest: it is clear at first reading.`,
  equivalence: `Whether the answer means the same as the reference answer.
Lowest: it says something else or the contrary.
Middle: it agrees in the main, but facts, numbers, conditions or negations differ or are missing.
Highest: whoever has one of them knows all that the other says.`,
} as const;

export type RubricName = keyof typeof rubrics;
export const rubricNames = Object.keys(rubrics) as RubricName[];
