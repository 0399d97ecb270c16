import {
  HMSLogLevel,
  HMSNotificationTypes,
  HMSRoomProvider,
  HMSRoomState,
  selectIsLocalAudioEnabled,
  selectIsLocalVideoEnabled,
  selectLocalAudioTrackID,
  selectLocalVideoTrackID,
  selectRoomState,
  useHMSActions,
  useHMSNotifications,
  useHMSStore,
  type HMSException,
  type HMSStore,
} from '@100mslive/react-sdk';
import { useEffect, useRef, useState } from 'react';
import type { Problem } from '../api/problem';
import type { JoinAnswer, LobbyVisit } from '../api/types';
import type { MediaChoices } from '../media/preferences';
import { Joining } from '../visit/endings';
import type { StaffRights } from '../visit/session';
import { problemOfSdk } from './faults';
import { Room } from './room';
import { ofThisPage, reconnectIsStuck } from './stuck';
import '../styles/call.css';

export interface CallProps {
  phase: 'joining' | 'connected' | 'reconnecting';
  visit: LobbyVisit;
  answer: JoinAnswer;
  displayName: string;
  choices: MediaChoices;
  staff?: StaffRights;
  onConnected: () => void;
  onConnectionLost: () => void;
  /** The server is there and the SDK does not come back: the page has to join anew. */
  onStuck: () => void;
  onMediaChange: (microphone: boolean, camera: boolean) => void;
  onLeft: () => void;
  onEnded: (why: 'ended' | 'removed', reason?: string) => void;
  onFailed: (problem: Problem) => void;
}

/** The only part of the app that knows the 100ms SDK; loaded when somebody joins. */
export default function Call(props: CallProps) {
  return (
    <HMSRoomProvider>
      <Connection {...props} />
    </HMSRoomProvider>
  );
}

/** The SDK keeps reports it could not send, with the token inside. Our pages never let it send them, so drop them. */
function dropUndeliveredReports(): void {
  try {
    localStorage.removeItem('client-events');
  } catch {
    // No storage, nothing kept.
  }
}

const selectHasLocalTracks = (store: HMSStore) =>
  selectLocalAudioTrackID(store) !== undefined && selectLocalVideoTrackID(store) !== undefined;

const joinLimitMs = 25_000;
/** Leaving is for the user, not for the network: after this the page goes on, and closing the provider drops the rest. */
const leaveLimitMs = 3_000;
const afterMs = (ms: number) => new Promise<void>((resolve) => window.setTimeout(resolve, ms));

function Connection(props: CallProps) {
  const actions = useHMSActions();
  const roomState = useHMSStore(selectRoomState);
  const latest = useRef(props);
  latest.current = props;
  const asked = useRef(false);
  const began = useRef(Date.now());
  const wasConnected = useRef(false);
  /** Set by whatever ends the call first; everything the SDK says afterwards is only the echo. */
  const over = useRef(false);
  const [published, setPublished] = useState(false);

  useEffect(() => {
    if (asked.current) return;
    asked.current = true;
    dropUndeliveredReports();
    const { answer, displayName, choices } = latest.current;
    // The line “Joined room <id>”, which people look for in the console, is one of this level.
    actions.setLogLevel(HMSLogLevel.DEBUG);
    actions
      .join({
        authToken: answer.authToken ?? '',
        userName: displayName,
        initEndpoint: answer.initEndpoint ?? undefined,
        rememberDeviceSelection: true,
        settings: {
          isAudioMuted: !choices.microphone,
          isVideoMuted: !choices.camera,
          audioInputDeviceId: choices.microphoneId,
          videoDeviceId: choices.cameraId,
          audioOutputDeviceId: choices.speakerId,
          speakerAutoSelectionBlacklist: choices.speakerId ? 'all' : undefined,
        },
      })
      .then(
        () => {
          // That level also writes the token at every reconnect: no longer needed.
          actions.setLogLevel(HMSLogLevel.INFO);
          setPublished(true);
        },
        (error: unknown) => {
          if (over.current) return;
          over.current = true;
          latest.current.onFailed(problemOfSdk(error));
        },
      );
  }, [actions]);

  useEffect(() => dropUndeliveredReports, []);

  // join() may hang for ever (protocol §8.2), so the room state decides, within a limit.
  useEffect(() => {
    if (roomState === HMSRoomState.Connected) {
      wasConnected.current = true;
      latest.current.onConnected();
      return;
    }
    if (roomState === HMSRoomState.Reconnecting && wasConnected.current) {
      latest.current.onConnectionLost();
      return;
    }
    const [waitMs, problem]: [number, Problem] = wasConnected.current
      ? [1500, { code: 'disconnected', status: 0, title: 'The connection to the visit was closed', remedy: 'Join again.' }]
      : [
          Math.max(0, began.current + joinLimitMs - Date.now()),
          {
            code: 'join_timeout',
            status: 0,
            title: 'The video server did not let this page in',
            detail: 'Signalling did not answer within 25 seconds.',
            remedy: 'Try again. If it stays so, a firewall or proxy may block WebSocket connections.',
          },
        ];
    const timer = window.setTimeout(() => {
      if (over.current) return;
      over.current = true;
      latest.current.onFailed(problem);
    }, waitMs);
    return () => window.clearTimeout(timer);
  }, [roomState]);

  const reconnecting = props.phase === 'reconnecting';
  useEffect(() => {
    if (!reconnecting) return;
    let stopped = false;
    void reconnectIsStuck(() => stopped || over.current, ofThisPage).then(async (stuck) => {
      if (!stuck) return;
      over.current = true;
      await Promise.race([actions.leave(), afterMs(leaveLimitMs)]).catch(() => undefined);
      latest.current.onStuck();
    });
    return () => {
      stopped = true;
    };
  }, [reconnecting, actions]);

  const ending = useHMSNotifications([
    HMSNotificationTypes.ROOM_ENDED,
    HMSNotificationTypes.REMOVED_FROM_ROOM,
  ] as HMSNotificationTypes[]);
  useEffect(() => {
    if (!ending || over.current) return;
    if (ending.type !== HMSNotificationTypes.ROOM_ENDED && ending.type !== HMSNotificationTypes.REMOVED_FROM_ROOM) return;
    over.current = true;
    const request = ending.data as { roomEnded?: boolean; reason?: string };
    latest.current.onEnded(
      request.roomEnded || ending.type === HMSNotificationTypes.ROOM_ENDED ? 'ended' : 'removed',
      request.reason || undefined,
    );
  }, [ending]);

  const failure = useHMSNotifications(HMSNotificationTypes.ERROR);
  useEffect(() => {
    const error: HMSException | undefined = failure?.data;
    if (!error?.isTerminal || over.current) return;
    over.current = true;
    latest.current.onFailed(problemOfSdk(error));
  }, [failure]);

  // A reload comes back with what is really on, which is what the last click left.
  const microphone = useHMSStore(selectIsLocalAudioEnabled);
  const camera = useHMSStore(selectIsLocalVideoEnabled);
  const hasTracks = useHMSStore(selectHasLocalTracks);
  useEffect(() => {
    // Leaving takes the tracks away, also when a page unloads: that is not a choice of the user.
    const settled = published && roomState === HMSRoomState.Connected && hasTracks;
    if (settled) latest.current.onMediaChange(microphone, camera);
  }, [published, roomState, hasTracks, microphone, camera]);

  if (props.phase === 'joining') {
    const cancel = () => {
      over.current = true;
      latest.current.onLeft();
    };
    return <Joining visit={props.visit} onCancel={cancel} />;
  }
  return (
    <Room
      visit={props.visit}
      reconnecting={props.phase === 'reconnecting'}
      choices={props.choices}
      staff={props.staff}
      onLeave={async () => {
        over.current = true;
        await Promise.race([actions.leave(), afterMs(leaveLimitMs)]).catch(() => undefined);
        latest.current.onLeft();
      }}
      onEndedForAll={() => {
        over.current = true;
        latest.current.onEnded('ended');
      }}
    />
  );
}
