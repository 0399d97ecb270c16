import { Camera, CameraOff, Mic, MicOff, Volume2 } from 'lucide-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import type { Problem } from '../api/problem';
import type { LobbyVisit } from '../api/types';
import { httpsTwin } from '../lib/links';
import { formatDayTime } from '../lib/time';
import { canChooseSpeaker, useDeviceLists } from '../media/devices';
import { watchLevel } from '../media/level';
import { MediaOwner, nothingHeld, type Held } from '../media/owner';
import type { MediaChoices } from '../media/preferences';
import { Brand } from '../ui/brand';
import { Button } from '../ui/button';
import { Notice, ProblemNotice } from '../ui/notice';
import { Picker } from '../ui/picker';

export interface LobbyProps {
  visit: LobbyVisit;
  asStaff: boolean;
  name: string;
  choices: MediaChoices;
  problem?: Problem;
  onJoin: (displayName: string, choices: MediaChoices) => void;
}

/** The preview before a visit. Owns camera and microphone until Join, and gives them back before it calls onJoin. */
export function Lobby({ visit, asStaff, name: initialName, choices: initial, problem, onJoin }: LobbyProps) {
  const [choices, setChoices] = useState(initial);
  const [name, setName] = useState(initialName);
  const [nameMissing, setNameMissing] = useState(false);
  const [releasing, setReleasing] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const { held, busy, again, release } = useMediaOwner(choices);
  const devices = useDeviceLists(`${held.camera?.id ?? ''}${held.microphone?.id ?? ''}`);
  const secure = window.isSecureContext;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const trimmed = name.trim();
    if (trimmed === '') {
      setNameMissing(true);
      nameField.current?.focus();
      return;
    }
    setReleasing(true);
    await release();
    onJoin(trimmed, choices);
  };

  const change = (part: Partial<MediaChoices>) => setChoices((old) => ({ ...old, ...part }));

  return (
    <div className="lobby-page">
      <header className="topbar">
        <Brand sub={visit.orgName} />
      </header>
      <main className="lobby" data-testid="lobby">
        <section className="lobby-preview" aria-label="Camera preview">
          <Preview held={held} wanted={choices.camera} busy={busy} />
          <div className="preview-controls">
            <Button
              className="round"
              tone={choices.microphone ? 'quiet' : 'danger'}
              aria-label={choices.microphone ? 'Turn microphone off' : 'Turn microphone on'}
              onPress={() => change({ microphone: !choices.microphone })}
              data-testid="lobby-mic"
              data-state={choices.microphone ? 'on' : 'off'}
            >
              {choices.microphone ? <Mic aria-hidden /> : <MicOff aria-hidden />}
            </Button>
            <Button
              className="round"
              tone={choices.camera ? 'quiet' : 'danger'}
              aria-label={choices.camera ? 'Turn camera off' : 'Turn camera on'}
              onPress={() => change({ camera: !choices.camera })}
              data-testid="lobby-camera"
              data-state={choices.camera ? 'on' : 'off'}
            >
              {choices.camera ? <Camera aria-hidden /> : <CameraOff aria-hidden />}
            </Button>
            <LevelMeter track={held.microphone} on={choices.microphone} />
          </div>
        </section>

        <section className="lobby-form">
          <p className="eyebrow">{asStaff ? 'You join as clinician' : 'Video visit'}</p>
          <h1 data-testid="lobby-title">{visit.displayName}</h1>
          <p className="lead">
            {visit.orgName}
            {visit.scheduledStart && ` · ${formatDayTime(visit.scheduledStart)}`}
          </p>

          {problem && <ProblemNotice problem={problem} testId="join-problem" />}
          {!secure && (
            <Notice tone="error" heading="Video does not work on this address" testId="insecure">
              <p>Browsers give camera and microphone to https pages only. Open the visit at its https address:</p>
              <p>
                <a href={httpsTwin(window.location.href)}>{httpsTwin(window.location.href)}</a>
              </p>
            </Notice>
          )}
          {secure && choices.camera && held.cameraFault && (
            <Notice
              tone="warning"
              heading={held.cameraFault.heading}
              testId="camera-fault"
              actions={
                <Button size="small" onPress={again} data-testid="camera-retry">
                  Try again
                </Button>
              }
            >
              {held.cameraFault.help}
            </Notice>
          )}
          {secure && choices.microphone && held.microphoneFault && (
            <Notice
              tone="warning"
              heading={held.microphoneFault.heading}
              testId="microphone-fault"
              actions={
                <Button size="small" onPress={again} data-testid="microphone-retry">
                  Try again
                </Button>
              }
            >
              {held.microphoneFault.help}
            </Notice>
          )}

          <form className="stack" onSubmit={(event) => void submit(event)} noValidate>
            <TextField
              className="field"
              value={name}
              onChange={(value) => {
                setName(value);
                setNameMissing(false);
              }}
              isInvalid={nameMissing}
              maxLength={120}
              autoComplete="name"
            >
              <Label>Your name</Label>
              <Input
                ref={nameField}
                className="input"
                data-testid="lobby-name"
                aria-describedby={nameMissing ? 'name-missing' : undefined}
              />
              {nameMissing && (
                <p className="field-error" id="name-missing" role="alert">
                  Please enter the name the others shall see.
                </p>
              )}
            </TextField>
            <Picker
              label="Camera"
              icon={<Camera aria-hidden size={18} />}
              options={devices.cameras}
              value={choices.cameraId}
              onChange={(cameraId) => change({ cameraId })}
              testId="lobby-camera-select"
              isDisabled={!choices.camera}
              empty="No camera"
            />
            <Picker
              label="Microphone"
              icon={<Mic aria-hidden size={18} />}
              options={devices.microphones}
              value={choices.microphoneId}
              onChange={(microphoneId) => change({ microphoneId })}
              testId="lobby-microphone-select"
              isDisabled={!choices.microphone}
              empty="No microphone"
            />
            {canChooseSpeaker() && devices.speakers.length > 0 && (
              <Picker
                label="Speaker"
                icon={<Volume2 aria-hidden size={18} />}
                options={devices.speakers}
                value={choices.speakerId}
                onChange={(speakerId) => change({ speakerId })}
                testId="lobby-speaker-select"
                empty="Default speaker"
              />
            )}
            <Button tone="primary" size="large" type="submit" isDisabled={releasing || !secure} data-testid="lobby-join">
              {releasing ? 'Joining…' : joinLabel(choices, held)}
            </Button>
          </form>
        </section>
      </main>
    </div>
  );
}

/** Says beforehand what the others will get. */
function joinLabel(choices: MediaChoices, held: Held): string {
  const camera = choices.camera && held.cameraFault === null;
  const microphone = choices.microphone && held.microphoneFault === null;
  if (camera && microphone) return 'Join now';
  if (microphone) return 'Join without camera';
  if (camera) return 'Join with microphone off';
  return 'Join without camera and microphone';
}

function useMediaOwner(choices: MediaChoices) {
  const [held, setHeld] = useState<Held>(nothingHeld);
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  const owner = useRef<MediaOwner | null>(null);
  const { camera, microphone, cameraId, microphoneId } = choices;

  useEffect(() => {
    const mine = new MediaOwner(setHeld);
    owner.current = mine;
    return () => {
      owner.current = null;
      void mine.release();
    };
  }, []);

  useEffect(() => {
    let current = true;
    setBusy(true);
    void owner.current?.apply({ camera, microphone, cameraId, microphoneId }).then(() => {
      if (current) setBusy(false);
    });
    return () => {
      current = false;
    };
  }, [camera, microphone, cameraId, microphoneId, round]);

  return {
    held,
    busy,
    again: () => setRound((value) => value + 1),
    release: () => owner.current?.release() ?? Promise.resolve(),
  };
}

function Preview({ held, wanted, busy }: { held: Held; wanted: boolean; busy: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  const track = held.camera;
  useEffect(() => {
    const element = video.current;
    if (!element || !track) return;
    element.srcObject = new MediaStream([track]);
    element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return (
    <div className="preview" data-testid="preview" data-state={track ? 'live' : wanted && busy ? 'starting' : 'off'}>
      {track ? (
        <video ref={video} className="mirrored" autoPlay muted playsInline data-testid="preview-video" />
      ) : (
        <div className="preview-empty" role="status">
          {wanted && busy ? (
            <>
              <span className="spinner" aria-hidden />
              <p>Starting the camera… Allow it if the browser asks.</p>
            </>
          ) : (
            <>
              <CameraOff aria-hidden size={32} />
              <p>{wanted && held.cameraFault ? held.cameraFault.heading : 'Your camera is off'}</p>
            </>
          )}
        </div>
      )}
    </div>
  );
}

/** A meter of the real microphone. Screen readers hear the words, not 20 numbers a second. */
function LevelMeter({ track, on }: { track: MediaStreamTrack | null; on: boolean }) {
  const bar = useRef<HTMLSpanElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    setHeard(false);
    const element = bar.current;
    if (!track || !element) return;
    const stop = watchLevel(track, (level) => {
      element.style.transform = `scaleX(${level.toFixed(2)})`;
      if (level > 0.3) setHeard(true);
    });
    return () => {
      element.style.transform = 'scaleX(0)';
      void stop();
    };
  }, [track]);
  const words = !on ? 'Microphone off' : !track ? 'No microphone' : heard ? 'We hear you' : 'Say something to test';
  return (
    <div className="meter" data-testid="level-meter" data-heard={heard}>
      <span className="meter-track" aria-hidden>
        <span className="meter-bar" ref={bar} />
      </span>
      <span className="meter-words" role="status" data-testid="level-words">
        {words}
      </span>
    </div>
  );
}
