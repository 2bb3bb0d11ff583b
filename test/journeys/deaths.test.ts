// What takes long: `npm run test:long` runs it, and .ci/run. The laptop is shared (support/keeping-journey.ts).
import './long-histories.ts';
import './actions-killed.ts';
import './snapshot-killed.ts';
import './restore-killed.ts';
