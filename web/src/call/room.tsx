import {
  HMSNotificationTypes,
  selectLocalPeer,
  selectPeerScreenSharing,
  selectRemotePeers,
  useAutoplayError,
  useHMSActions,
  useHMSNotifications,
  useHMSStore,
} from '@100mslive/react-sdk';
import { Check, Copy, LoaderCircle, MonitorUp } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { LobbyVisit } from '../api/types';
import type { MediaChoices } from '../media/preferences';
import { Button } from '../ui/button';
import { useCopy } from '../ui/copy';
import { Notice } from '../ui/notice';
import type { StaffRights } from '../visit/session';
import { Chat } from './chat';
import { Controls, type PanelName } from './controls';
import { deviceFault, type CallFault } from './faults';
import { Arrivals } from './arrivals';
import { useJoinSignal } from './join-signal';
import { People } from './people';
import { hostRole, waitingRole } from './roles';
import { PeerTile, ScreenTile } from './tile';

export interface RoomProps {
  visit: LobbyVisit;
  reconnecting: boolean;
  choices: MediaChoices;
  staff?: StaffRights;
  onLeave: () => Promise<void>;
  onEndedForAll: () => void;
}

export function Room({ visit, reconnecting, choices, staff, onLeave, onEndedForAll }: RoomProps) {
  const me = useHMSStore(selectLocalPeer);
  const remote = useHMSStore(selectRemotePeers);
  const sharing = useHMSStore(selectPeerScreenSharing);
  const [panel, setPanel] = useState<PanelName>();
  const opener = useRef<HTMLElement | null>(null);
  const { fault, report, dismiss } = useFaults();
  const announcement = useAnnouncements(panel === 'chat');
  const backAgain = useBackAgain(reconnecting);
  const { error: soundBlocked, unblockAudio } = useAutoplayError();
  useAdmission(me?.roleName, choices);
  useJoinSignal();
  const [sideBySide, setSideBySide] = useState(false);

  useLayoutEffect(() => {
    document.documentElement.dataset.scene = 'call';
    return () => {
      delete document.documentElement.dataset.scene;
    };
  }, []);

  const others = remote.filter((peer) => peer.roleName !== waitingRole);
  const waits = me?.roleName === waitingRole;
  // The own screen is not shown again: it would be a picture of itself, and the faces matter more.
  const shown = sharing && !sharing.isLocal ? sharing : undefined;
  const canArrange = !waits && !shown && others.length > 0;
  const beside = canArrange && sideBySide;
  const showPanel = (name: PanelName) => {
    opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    setPanel((open) => (open === name ? undefined : name));
  };
  const closePanel = () => {
    setPanel(undefined);
    opener.current?.focus();
  };

  return (
    <main
      className="room"
      data-testid="room"
      data-role={me?.roleName}
      data-remote={others.length}
      data-connection={reconnecting ? 'reconnecting' : 'connected'}
    >
      <h1 className="sr-only">{visit.displayName}</h1>
      <p className="sr-only" aria-live="polite" data-testid="announcer">
        {announcement}
      </p>
      <div className="room-notices">
        {reconnecting && (
          <p className="banner banner-warning" role="status" data-testid="reconnecting">
            <LoaderCircle aria-hidden size={18} className="spin" /> Connection lost. Reconnecting…
          </p>
        )}
        {backAgain && (
          <p className="banner banner-good" role="status" data-testid="reconnected">
            <Check aria-hidden size={18} /> Connected again
          </p>
        )}
        {soundBlocked && (
          <Notice
            tone="warning"
            heading="The browser keeps the sound off until you allow it"
            testId="sound-blocked"
            actions={
              <Button size="small" tone="primary" onPress={() => void unblockAudio()} data-testid="sound-unblock">
                Turn the sound on
              </Button>
            }
          />
        )}
        <Arrivals />
        {sharing?.isLocal && (
          <p className="banner banner-arrival" role="status" data-testid="sharing">
            <MonitorUp aria-hidden size={18} /> You are sharing your screen
          </p>
        )}
        {fault && (
          <Notice
            tone="warning"
            heading={fault.heading}
            testId="device-fault"
            actions={
              <Button size="small" onPress={dismiss} data-testid="device-fault-dismiss">
                Close
              </Button>
            }
          >
            {fault.help}
          </Notice>
        )}
      </div>
      <div className="room-body">
        <div className="stage" data-layout={shown ? 'screen' : others.length > 1 || beside ? 'grid' : 'one'} data-beside={beside}>
          {waits ? (
            <WaitingRoom visit={visit} hostHere={remote.some((peer) => peer.roleName === hostRole)} />
          ) : (
            <>
              {shown && <ScreenTile peer={shown} />}
              {others.length > 0 ? (
                <div className="tiles" data-count={Math.min(others.length + (beside ? 1 : 0), 6)}>
                  {others.map((peer) => (
                    <PeerTile key={peer.id} peer={peer} />
                  ))}
                  {beside && me && <PeerTile peer={me} />}
                </div>
              ) : (
                !shown && <Alone isHost={me?.roleName === hostRole} link={staff?.publicLink} />
              )}
              {me && !beside && (
                <div className="self">
                  <PeerTile peer={me} small />
                </div>
              )}
            </>
          )}
        </div>
        {panel === 'chat' && <Chat onClose={closePanel} />}
        {panel === 'people' && <People onClose={closePanel} />}
      </div>
      <Controls
        staff={staff}
        chat={visit.features?.chat !== false}
        waits={waits}
        sideBySide={canArrange ? sideBySide : undefined}
        onLayout={() => setSideBySide((now) => !now)}
        open={panel}
        onPanel={showPanel}
        onLeave={onLeave}
        onEndedForAll={onEndedForAll}
        onProblem={report}
      />
    </main>
  );
}

/** Said from the real list of peers: nobody else is in the room. */
function Alone({ isHost, link }: { isHost: boolean; link?: string }) {
  const { copied, copy, failed } = useCopy();
  return (
    <div className="alone" data-testid="alone">
      <span className="pulse" aria-hidden />
      <p className="alone-heading">{isHost ? 'The patient has not joined yet' : 'The clinician has not joined yet'}</p>
      <p>
        {isHost ? 'You will see them here as soon as they join.' : 'Please stay on this page. The visit starts when they join.'}
      </p>
      {isHost && link && (
        <>
          <Button onPress={() => void copy(link)} data-testid="alone-copy">
            {copied ? <Check aria-hidden size={18} /> : <Copy aria-hidden size={18} />}
            {copied ? 'Link copied' : 'Copy patient link'}
          </Button>
          {failed && <p className="alone-link">{link}</p>}
        </>
      )}
    </div>
  );
}

function WaitingRoom({ visit, hostHere }: { visit: LobbyVisit; hostHere: boolean }) {
  return (
    <div className="alone" data-testid="waiting-room">
      <span className="pulse" aria-hidden />
      <p className="alone-heading">You are in the waiting room</p>
      <p>
        {visit.orgName} knows that you are here.{' '}
        {hostHere ? 'The clinician is in the visit and will let you in.' : 'The clinician has not joined yet.'}
      </p>
      <p>You come in by yourself when you are admitted. Nobody sees or hears you until then.</p>
    </div>
  );
}

/** Device errors of the SDK while the visit goes on. */
function useFaults() {
  const [fault, setFault] = useState<CallFault>();
  const report = useCallback((error: unknown) => {
    const found = deviceFault(error);
    if (found) setFault(found.fault);
    else {
      const { message, code } = error as { message?: string; code?: number };
      // 3008 has its own notice (sound blocked); closing the browser's screen picker is a choice, not a fault.
      if (code === 3008 || (/screen/i.test(message ?? '') && /denied|dismiss|cancel/i.test(message ?? ''))) return;
      setFault({ heading: 'That did not work', help: message ?? String(error) });
    }
  }, []);
  const notification = useHMSNotifications(HMSNotificationTypes.ERROR);
  useEffect(() => {
    if (notification && !notification.data.isTerminal) report(notification.data);
  }, [notification, report]);
  return { fault, report, dismiss: () => setFault(undefined) };
}

const spoken = [
  HMSNotificationTypes.PEER_JOINED,
  HMSNotificationTypes.PEER_LEFT,
  HMSNotificationTypes.NEW_MESSAGE,
  HMSNotificationTypes.HAND_RAISE_CHANGED,
];

/** What a screen reader says about others. Own actions speak through their buttons, an open chat through its log. */
function useAnnouncements(chatOpen: boolean): string {
  const notification = useHMSNotifications(spoken);
  const [text, setText] = useState('');
  const open = useRef(chatOpen);
  open.current = chatOpen;
  useEffect(() => {
    if (!notification) return;
    switch (notification.type) {
      case HMSNotificationTypes.PEER_JOINED:
        setText(`${notification.data.name} joined`);
        break;
      case HMSNotificationTypes.PEER_LEFT:
        setText(`${notification.data.name} left`);
        break;
      case HMSNotificationTypes.NEW_MESSAGE:
        if (!open.current)
          setText(`Message from ${notification.data.senderName ?? 'someone'}: ${String(notification.data.message)}`);
        break;
      case HMSNotificationTypes.HAND_RAISE_CHANGED:
        if (!notification.data.isLocal)
          setText(`${notification.data.name} ${notification.data.isHandRaised ? 'raised' : 'lowered'} the hand`);
        break;
      default:
    }
  }, [notification]);
  return text;
}

function useBackAgain(reconnecting: boolean): boolean {
  const [shown, setShown] = useState(false);
  const before = useRef(reconnecting);
  useEffect(() => {
    const came = before.current && !reconnecting;
    before.current = reconnecting;
    if (!came) {
      setShown(false);
      return;
    }
    setShown(true);
    const timer = window.setTimeout(() => setShown(false), 4000);
    return () => window.clearTimeout(timer);
  }, [reconnecting]);
  return shown;
}

/** From the waiting room into the visit: the SDK publishes muted, so the choice made in the lobby is applied once. */
function useAdmission(role: string | undefined, choices: MediaChoices): void {
  const actions = useHMSActions();
  const me = useHMSStore(selectLocalPeer);
  const pending = useRef({ audio: false, video: false });
  const before = useRef(role);
  useEffect(() => {
    if (before.current === waitingRole && role !== waitingRole)
      pending.current = { audio: choices.microphone, video: choices.camera };
    before.current = role;
    if (pending.current.audio && me?.audioTrack) {
      pending.current.audio = false;
      void actions.setLocalAudioEnabled(true).catch(() => undefined);
    }
    if (pending.current.video && me?.videoTrack) {
      pending.current.video = false;
      void actions.setLocalVideoEnabled(true).catch(() => undefined);
    }
  }, [role, me?.audioTrack, me?.videoTrack, choices, actions]);
}
