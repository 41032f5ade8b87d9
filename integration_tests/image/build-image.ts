import { docker, IMAGE, ROOT } from './docker';

/** Builds the image under test before the first suite; the engine's cache makes this quick when nothing changed. */
export default async function buildImage(): Promise<void> {
  const { exitCode, stdout, stderr } = await docker('build', '--tag', IMAGE, ROOT);
  if (exitCode !== 0) throw new Error(`docker build failed:\n${stdout}\n${stderr}`);
}
