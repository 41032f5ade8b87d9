import { readFileSync } from 'node:fs';
import { CHECKLIST_PAGE, findProofs, NOT_TESTED, renderChecklistPage } from '../../scripts/checklist-page';

describe('docs/acceptance-checklist.md', () => {
  it('is what `npm run checklist` writes', () => {
    expect(readFileSync(CHECKLIST_PAGE, 'utf8')).toBe(renderChecklistPage());
  });

  it('leaves no check without a test or a reason', () => {
    const proofs = findProofs();
    const numbers = Array.from({ length: 93 }, (_, index) => index + 1);
    expect(numbers.filter((number) => !proofs.has(number) && !NOT_TESTED.has(number))).toEqual([]);
    // A reason that is no longer needed would hide the loss of the test later.
    expect([...NOT_TESTED.keys()].filter((number) => proofs.has(number))).toEqual([]);
  });
});
