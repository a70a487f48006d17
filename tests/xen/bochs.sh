# tests/xen/bochs.sh - the machine of xen-host's option -b: Bochs, which
# translates VMX and EPT, so that Xen's source stays as Debian has it.
# tests/xen/xen-host sources it.
# shellcheck shell=bash disable=SC2034,SC2154 # variables of xen-host

bochs_packages="bochs bochs-term bochsbios vgabios isolinux syslinux-common
xorriso"

# A field of a Linux kernel's setup header.
bochs_field()
{ # file, offset, octets
	od -An "-tu$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# Xen would unpack the kernel itself, at the speed of what is translated.
bochs_unpack_kernel()
{
	local packed=$cache/kernel begin length
	begin=$((($(bochs_field "$packed" 497 1) + 1) * 512 +
		$(bochs_field "$packed" 584 4)))
	# The last 4 octets are the length of what is unpacked.
	length=$(($(bochs_field "$packed" 588 4) - 4))
	dd if="$packed" bs=64K iflag=skip_bytes,count_bytes skip=$begin \
		count=$length status=none | xz -dc >"$cache/kernel-elf.new" ||
		die "the kernel can't be unpacked by xz"
	mv "$cache/kernel-elf.new" "$cache/kernel-elf"
}

bochs_is_ready()
{
	[ -f "$cache/xen-unpatched" ] && [ "$cache/kernel-elf" -nt "$cache/kernel" ]
}

bochs_prepare()
{
	local file
	for file in /usr/bin/{bochs-bin,script,xorriso} \
	    /usr/share/bochs/BIOS-bochs-latest /usr/share/vgabios/vgabios.bin \
	    /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so \
	    /usr/lib/ISOLINUX/isolinux.bin \
	    /usr/lib/syslinux/modules/bios/mboot.c32; do
		[ -e "$file" ] || die "no $file here; call xen-host packages -b"
	done
	[ -f "$cache/xen-unpatched" ] || build_hypervisor unpatched
	bochs_unpack_kernel
}

# A CD that ISOLINUX starts from: to load 146 MB takes 0.15 G instructions by it,
# 1.5 by GRUB.
bochs_make_disc()
{ # directory
	local dir=$1 d=$1/disc.d name
	mkdir "$d"
	cp /usr/lib/ISOLINUX/isolinux.bin "$d/"
	for name in ldlinux libcom32 mboot; do
		cp "/usr/lib/syslinux/modules/bios/$name.c32" "$d/"
	done
	cp "$xen" "$d/xen"
	cp "$cache/kernel-elf" "$d/kernel"
	mv "$dir/initrd" "$d/initrd"
	cat >"$d/isolinux.cfg" <<-END
		default xen
		label xen
		  kernel mboot.c32
		  append xen $xen_words --- kernel $linux_words --- initrd
	END
	xorriso -as mkisofs -quiet -o "$dir/disc" -b isolinux.bin \
		-no-emul-boot -boot-load-size 4 -boot-info-table "$d" \
		>"$dir/disc.log" 2>&1 || die "$(tail -n 1 "$dir/disc.log")"
	rm -rf "$d"
}

# Time is counted by instructions (sync=none, ips): a hundred million make a
# second, so there are 400,000 of them between two ticks of Linux' timer, and
# inside nothing runs out of time, however slow or busy this host is.
#
# The processor is put together from what Xen needs; Bochs' Haswell boots as
# well, under its Ice Lake dom0 crashes at once.  By default Bochs' vendor is
# AMD: Xen then sets registers at each switch of domains that are not there.
# What Bochs reports of unknown registers is thousands of lines, so it is not
# kept.
bochs_start()
{ # directory; sets machine
	local dir=$1
	bochs_make_disc "$dir"
	: >"$dir/dom0.log" # which Bochs makes when there is something to say
	cat >"$dir/bochsrc" <<-END
		config_interface: textconfig
		display_library: term
		cpu: model=bx_generic, count=1, ips=100000000, reset_on_triple_fault=1, ignore_bad_msrs=1
		cpuid: level=6, vendor_string="GenuineIntel", family=6, model=60, stepping=3, x86_64=1, mmx=1, sep=1, simd=avx2, aes=1, sha=1, movbe=1, bmi=bmi2, xsave=1, xsaveopt=1, 1g_pages=1, pcid=1, fsgsbase=1, smep=1, apic=x2apic, vmx=2
		clock: sync=none
		memory: guest=$mib, host=$mib
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		vga: extension=none, update_freq=1
		pci: enabled=1, chipset=i440fx
		ata0-master: type=cdrom, path=$dir/disc, status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev=$dir/xen.log
		com2: enabled=1, mode=file, dev=$dir/dom0.log
		log: $dir/bochs.log
		panic: action=fatal
		error: action=ignore
		info: action=ignore
	END
	# Debian's Bochs has a debugger, which waits for a word.
	echo continue >"$dir/words"
	# Its screen wants a terminal; what matters is on the serial ports.
	TERM=xterm timeout $((seconds + 60)) script -qec \
		"stty rows 30 cols 100
		exec bochs-bin -q -f '$dir/bochsrc' -rc '$dir/words'" \
		/dev/null >"$dir/screen" 2>&1 </dev/null &
	machine=$!
}
