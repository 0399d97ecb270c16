/** Watches a microphone track and reports its loudness, 0 to 1, about 20 times a second. Returns how to stop. */
export function watchLevel(track: MediaStreamTrack, report: (level: number) => void): () => Promise<void> {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    report(loudness(Math.sqrt(sum / samples.length)));
  }, 50);
  return async () => {
    window.clearInterval(timer);
    source.disconnect();
    if (context.state !== 'closed') await context.close();
  };
}

/** Root mean square to a meter position: −60 dB and below is 0, −10 dB and above is 1. */
export function loudness(rms: number): number {
  if (rms <= 0) return 0;
  const decibel = 20 * Math.log10(rms);
  return Math.min(1, Math.max(0, (decibel + 60) / 50));
}
