import {
  selectHasPeerHandRaised,
  selectLocalPeerID,
  selectPeerCount,
  selectPermissions,
  selectUnreadHMSMessagesCount,
  useAVToggle,
  useHMSActions,
  useHMSStore,
  useScreenShare,
} from '@100mslive/react-sdk';
import {
  Camera,
  CameraOff,
  Hand,
  LayoutGrid,
  MessageSquare,
  Mic,
  MicOff,
  MonitorOff,
  MonitorUp,
  PhoneOff,
  PictureInPicture2,
  Users,
} from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { problemOf } from '../api/problem';
import { endVisit } from '../api/visits';
import { Button } from '../ui/button';
import { Confirm } from '../ui/confirm';
import { ProblemNotice } from '../ui/notice';
import type { Problem } from '../api/problem';
import type { StaffRights } from '../visit/session';
import { DeviceMenu } from './devices';
import { problemOfSdk } from './faults';
import { selectWaiting } from './roles';
import { ShortcutHelp, useShortcuts } from './shortcuts';

export type PanelName = 'chat' | 'people';

interface ControlProps {
  label: string;
  /** What stands under the icon; a part of the label, so that people who speak to their computer can name it. */
  word: string;
  testId: string;
  state?: 'on' | 'off';
  active?: boolean;
  badge?: number;
  onPress: () => void;
  isDisabled?: boolean;
  children: ReactNode;
}

function Control({ label, word, testId, state, active, badge, onPress, isDisabled, children }: ControlProps) {
  return (
    <Button
      className={`control ${state === 'off' ? 'control-off' : ''} ${active ? 'control-active' : ''}`}
      aria-label={label}
      data-testid={testId}
      data-state={state}
      data-active={active}
      onPress={onPress}
      isDisabled={isDisabled}
    >
      {children}
      <span className="control-word">{word}</span>
      {badge !== undefined && badge > 0 && (
        <span className="badge-count" aria-hidden data-testid={`${testId}-badge`}>
          {badge > 99 ? '99+' : badge}
        </span>
      )}
    </Button>
  );
}

export interface ControlsProps {
  staff?: StaffRights;
  chat: boolean;
  /** In the waiting room: nothing to show or say yet. */
  waits: boolean;
  /** Undefined where there is nothing to arrange. */
  sideBySide?: boolean;
  onLayout: () => void;
  open?: PanelName;
  onPanel: (panel: PanelName) => void;
  onLeave: () => Promise<void>;
  onEndedForAll: () => void;
  onProblem: (error: unknown) => void;
}

export function Controls({
  staff,
  chat,
  waits,
  sideBySide,
  onLayout,
  open,
  onPanel,
  onLeave,
  onEndedForAll,
  onProblem,
}: ControlsProps) {
  const actions = useHMSActions();
  const { isLocalAudioEnabled, isLocalVideoEnabled, toggleAudio, toggleVideo } = useAVToggle(onProblem);
  const { amIScreenSharing, toggleScreenShare, screenSharingPeerId } = useScreenShare(onProblem);
  const unread = useHMSStore(selectUnreadHMSMessagesCount);
  const count = useHMSStore(selectPeerCount);
  const waiting = useHMSStore(selectWaiting);
  const me = useHMSStore(selectLocalPeerID);
  const handUp = useHMSStore(selectHasPeerHandRaised(me));
  const canShare = !waits && toggleScreenShare !== undefined && typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  const otherShares = screenSharingPeerId !== undefined && !amIScreenSharing;
  const permissions = useHMSStore(selectPermissions);
  const inside = Math.max(0, count - waiting.length);
  const arrivals = permissions?.changeRole === true ? waiting.length : 0;

  const [help, setHelp] = useState(false);
  const toggleHand = () => void (handUp ? actions.lowerLocalPeerHand() : actions.raiseLocalPeerHand()).catch(onProblem);
  const toggleScreen = () => void toggleScreenShare?.({ videoOnly: false });
  useShortcuts({
    mic: toggleAudio,
    camera: toggleVideo,
    screen: canShare && !otherShares ? toggleScreen : undefined,
    hand: waits ? undefined : toggleHand,
    chat: chat && !waits ? () => onPanel('chat') : undefined,
    people: waits ? undefined : () => onPanel('people'),
    layout: sideBySide === undefined ? undefined : onLayout,
    help: () => setHelp(true),
  });

  return (
    <div className="controls" role="group" aria-label="Visit controls" data-testid="controls">
      {toggleAudio && (
        <Control
          label={isLocalAudioEnabled ? 'Turn mic off' : 'Turn mic on'}
          word="Mic"
          testId="control-mic"
          state={isLocalAudioEnabled ? 'on' : 'off'}
          onPress={toggleAudio}
        >
          {isLocalAudioEnabled ? <Mic aria-hidden /> : <MicOff aria-hidden />}
        </Control>
      )}
      {toggleVideo && (
        <Control
          label={isLocalVideoEnabled ? 'Turn camera off' : 'Turn camera on'}
          word="Camera"
          testId="control-camera"
          state={isLocalVideoEnabled ? 'on' : 'off'}
          onPress={toggleVideo}
        >
          {isLocalVideoEnabled ? <Camera aria-hidden /> : <CameraOff aria-hidden />}
        </Control>
      )}
      {canShare && (
        <Control
          label={
            amIScreenSharing
              ? 'Stop sharing your screen'
              : otherShares
                ? 'Share: somebody else shares the screen now'
                : 'Share your screen'
          }
          word={amIScreenSharing ? 'Stop' : 'Share'}
          testId="control-screen"
          active={amIScreenSharing}
          isDisabled={otherShares}
          onPress={toggleScreen}
        >
          {amIScreenSharing ? <MonitorOff aria-hidden /> : <MonitorUp aria-hidden />}
        </Control>
      )}
      {!waits && (
        <Control
          label={handUp ? 'Lower your hand' : 'Raise your hand'}
          word="Hand"
          testId="control-hand"
          active={handUp}
          onPress={toggleHand}
        >
          <Hand aria-hidden />
        </Control>
      )}
      {chat && !waits && (
        <Control
          label={unread > 0 ? `Chat, ${unread} unread` : 'Chat'}
          word="Chat"
          testId="control-chat"
          active={open === 'chat'}
          badge={open === 'chat' ? 0 : unread}
          onPress={() => onPanel('chat')}
        >
          <MessageSquare aria-hidden />
        </Control>
      )}
      {!waits && (
        <Control
          label={`People, ${inside} in the visit${arrivals > 0 ? `, ${arrivals} waiting` : ''}`}
          word="People"
          testId="control-people"
          active={open === 'people'}
          badge={arrivals}
          onPress={() => onPanel('people')}
        >
          <Users aria-hidden />
        </Control>
      )}
      {sideBySide !== undefined && (
        <Control
          label={sideBySide ? 'View: show the others large' : 'View: show everybody side by side'}
          word="View"
          testId="control-layout"
          state="on"
          onPress={onLayout}
        >
          {sideBySide ? <PictureInPicture2 aria-hidden /> : <LayoutGrid aria-hidden />}
        </Control>
      )}
      <DeviceMenu onHelp={() => setHelp(true)} />
      <ShortcutHelp isOpen={help} onClose={() => setHelp(false)} />
      <LeaveControl staff={staff} onLeave={onLeave} onEndedForAll={onEndedForAll} />
    </div>
  );
}

/** A host is asked whether to leave alone or to end for everybody; the others just leave. */
function LeaveControl({ staff, onLeave, onEndedForAll }: Pick<ControlsProps, 'staff' | 'onLeave' | 'onEndedForAll'>) {
  const actions = useHMSActions();
  const permissions = useHMSStore(selectPermissions);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const mayEnd = staff !== undefined || permissions?.endRoom === true;

  const leave = () => {
    setBusy(true);
    void onLeave();
  };
  const end = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      if (staff) await endVisit(staff.orgId, staff.visitId);
      else await actions.endRoom(false, 'The clinician ended the visit');
      onEndedForAll();
    } catch (error) {
      setProblem(staff ? problemOf(error) : problemOfSdk(error));
      setBusy(false);
    }
  };

  return (
    <>
      <Button
        tone="danger"
        className="control control-leave"
        aria-label="Leave the visit"
        isDisabled={busy}
        onPress={leave}
        data-testid="control-leave"
      >
        <PhoneOff aria-hidden />
        <span className="control-word">Leave</span>
      </Button>
      {mayEnd && (
        <Button
          tone="danger"
          className="control control-end"
          isDisabled={busy}
          onPress={() => setAsking(true)}
          data-testid="control-end"
        >
          End for all
        </Button>
      )}
      <Confirm
        isOpen={asking}
        heading="End the visit for everyone?"
        action="End for everyone"
        busy={busy}
        onConfirm={() => void end()}
        onCancel={() => setAsking(false)}
        testId="end-confirm"
      >
        <p>Everybody is disconnected and the link stops working. To step out alone, use “Leave”.</p>
        {problem && <ProblemNotice problem={problem} />}
      </Confirm>
    </>
  );
}
