import {
  selectIsPeerAudioEnabled,
  selectIsPeerVideoEnabled,
  selectPeers,
  selectPermissions,
  useHMSStore,
  type HMSPeer,
} from '@100mslive/react-sdk';
import { Camera, CameraOff, Hand, Mic, MicOff } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/button';
import { useAdmit } from './arrivals';
import { Panel } from './panel';
import { roleWords, waitingRole } from './roles';
import { initials } from './tile';

export function People({ onClose }: { onClose: () => void }) {
  const peers = useHMSStore(selectPeers);
  const permissions = useHMSStore(selectPermissions);
  const [problem, setProblem] = useState<string>();
  const inside = peers.filter((peer) => peer.roleName !== waitingRole);
  const waiting = peers.filter((peer) => peer.roleName === waitingRole);
  return (
    <Panel title="People" testId="people-panel" onClose={onClose}>
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      {permissions?.changeRole === true && waiting.length > 0 && (
        <>
          <h3 className="panel-sub">Waiting to come in</h3>
          <ul className="people" data-testid="people-waiting">
            {waiting.map((peer) => (
              <Person key={peer.id} peer={peer} canAdmit onProblem={setProblem} />
            ))}
          </ul>
        </>
      )}
      <h3 className="panel-sub">In the visit</h3>
      <ul className="people" data-testid="people-inside">
        {inside.map((peer) => (
          <Person key={peer.id} peer={peer} canAdmit={false} onProblem={setProblem} />
        ))}
      </ul>
    </Panel>
  );
}

function Person({ peer, canAdmit, onProblem }: { peer: HMSPeer; canAdmit: boolean; onProblem: (text?: string) => void }) {
  const { busy, admit } = useAdmit((text) => onProblem(text));
  const audioOn = useHMSStore(selectIsPeerAudioEnabled(peer.id));
  const videoOn = useHMSStore(selectIsPeerVideoEnabled(peer.id));
  const waits = peer.roleName === waitingRole;
  return (
    <li className="person" data-testid="person" data-peer={peer.id}>
      <span className="avatar avatar-small" aria-hidden>
        {initials(peer.name)}
      </span>
      <span className="person-name">
        <span>
          {peer.name}
          {peer.isLocal && ' (you)'}
        </span>
        <span className="fine-print">{roleWords(peer.roleName)}</span>
      </span>
      {waits ? (
        canAdmit && (
          <Button tone="primary" size="small" isDisabled={busy} onPress={() => void admit(peer)} data-testid="admit">
            Let in
          </Button>
        )
      ) : (
        <span className="person-marks">
          {peer.isHandRaised && <Hand size={18} role="img" aria-label="Hand raised" />}
          {audioOn ? (
            <Mic size={18} role="img" aria-label="Microphone on" />
          ) : (
            <MicOff size={18} role="img" aria-label="Microphone off" />
          )}
          {videoOn ? (
            <Camera size={18} role="img" aria-label="Camera on" />
          ) : (
            <CameraOff size={18} role="img" aria-label="Camera off" />
          )}
        </span>
      )}
    </li>
  );
}
