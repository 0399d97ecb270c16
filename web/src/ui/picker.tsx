import { Check, ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from 'react-aria-components';
import type { DeviceOption } from '../media/devices';

export interface PickerProps {
  label: string;
  icon?: ReactNode;
  options: DeviceOption[];
  value?: string;
  onChange: (id: string) => void;
  testId: string;
  isDisabled?: boolean;
  empty: string;
}

/** A list to choose one device from. */
export function Picker({ label, icon, options, value, onChange, testId, isDisabled, empty }: PickerProps) {
  const known = options.some((option) => option.id === value);
  return (
    <Select
      className="picker"
      isDisabled={isDisabled || options.length === 0}
      selectedKey={known ? value : (options[0]?.id ?? null)}
      onSelectionChange={(key) => {
        if (key !== null) onChange(String(key));
      }}
      placeholder={empty}
    >
      <Label className="picker-label">{label}</Label>
      <Button className="picker-button" data-testid={testId}>
        {icon}
        <SelectValue className="picker-value" />
        <ChevronDown aria-hidden size={16} />
      </Button>
      <Popover className="popover">
        <ListBox className="listbox" items={options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.label} className="listbox-item">
              {({ isSelected }) => (
                <>
                  <span>{option.label}</span>
                  {isSelected && <Check aria-hidden size={16} />}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
