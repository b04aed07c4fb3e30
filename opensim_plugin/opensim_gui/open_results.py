# -*- coding: utf-8 -*-
# Opens a kneestride results folder in the OpenSim GUI: model, motion, ground forces, and
# plots of the knee loads. For OpenSim 4's scripting window, whose language is Jython 2.7:
#
#   Scripts > Run... > this file      then choose the results folder
#
# or, in the scripting shell, without a dialog:
#
#   RESULTS = "/path/to/results"; execfile("/path/to/open_results.py")
#
# What is called is what the GUI itself offers to scripts (loadModel, loadMotion,
# createPlotterPanel, addDataSource, addCurve, setCurveColor); the shell has it without an
# import. Nothing in the results folder is changed.

import os
import tempfile

# Medial blue and lateral orange, told apart by everybody; the total dark.
COLOURS = {
    "medial": (0.0, 0.45, 0.70),
    "lateral": (0.90, 0.62, 0.0),
    "total": (0.15, 0.15, 0.15),
    "adduction": (0.80, 0.40, 0.0),
    "flexion": (0.0, 0.62, 0.45),
}
SIDES = (("r", "Right"), ("l", "Left"))
PLOTS = (
    ("contact force", "Force (N)", ("medial_N", "lateral_N", "total_N")),
    ("external moment", "Moment (N m)", ("adduction_moment_Nm", "flexion_moment_Nm")),
)
NEEDED = ("model.osim", "ik.mot")


def chosen_folder():
    """Folder given as RESULTS, else the one chosen in the GUI's dialog; None: cancelled."""
    if "RESULTS" in globals():
        return globals()["RESULTS"]
    import org.opensim.utils as utils

    words = "Choose a kneestride results folder"
    return utils.FileUtils.getInstance().browseForFolder(words, False)


def missing_files(folder):
    """Names of files without which nothing can be shown."""
    return [name for name in NEEDED if not os.path.isfile(os.path.join(folder, name))]


def read_table(path):
    """Column names and rows of text of an OpenSim table."""
    handle = open(path)
    try:
        lines = handle.read().splitlines()
    finally:
        handle.close()
    ends = [i for i in range(len(lines)) if lines[i].strip().lower() == "endheader"]
    rows = [line.split() for line in lines[ends[0] + 1 :] if line.strip()]
    return rows[0], rows[1:]


def whole_stretches(rows):
    """Rows in stretches without nan: OpenSim's reader stops at the first one."""
    stretches = [[]]
    for row in rows:
        if "nan" in [cell.lower() for cell in row]:
            stretches.append([])
        else:
            stretches[-1].append(row)
    return [stretch for stretch in stretches if len(stretch) > 1]


def write_table(path, names, rows):
    """An OpenSim table of some columns."""
    head = ["knee loads", "version=1", "nRows=%d" % len(rows), "nColumns=%d" % len(names)]
    lines = head + ["inDegrees=no", "endheader", "\t".join(names)]
    lines += ["\t".join(row) for row in rows]
    handle = open(path, "w")
    try:
        handle.write("\n".join(lines) + "\n")
    finally:
        handle.close()


def plot_knee_loads(folder):
    """A window for each knee and kind of load; gaps where a load was not trusted."""
    names, rows = read_table(os.path.join(folder, "knee_loads.sto"))
    place = tempfile.mkdtemp()
    try:
        for side, word in SIDES:
            for title, axis, loads in PLOTS:
                wanted = ["knee_%s_%s" % (side, load) for load in loads]
                if [name for name in wanted if name not in names]:
                    continue
                columns = [0] + [names.index(name) for name in wanted]
                cut = [[row[c] for c in columns] for row in rows]
                plot(place, "%s knee: %s" % (word, title), axis, ["time"] + wanted, cut)
    finally:
        os.rmdir(place)


def plot(place, title, axis, names, rows):
    """One window; each stretch is a source of its own, so that no line crosses a gap."""
    stretches = whole_stretches(rows)
    if not stretches:
        print("%s: no trusted frames." % title)
        return
    panel = createPlotterPanel(title)
    drawn = 0
    for stretch in stretches:
        path = os.path.join(place, "knee_loads.sto")
        write_table(path, names, stretch)
        try:
            source = addDataSource(panel, path)
        finally:
            os.remove(path)
        for name in names[1:]:
            word = name.split("_")[2]
            curve = addCurve(panel, source, "time", name)
            curve.setLegend(word)
            setCurveColor(panel, drawn, *COLOURS[word])
            drawn += 1
    panel.setXAxisLabel("Time (s)")
    panel.setYAxisLabel(axis)


def show_ground_forces(folder):
    """Arrows under the feet, as data that goes with the motion."""
    # Where frames are masked, ground_forces.mot has nan and this copy has not.
    names = (os.path.join("opensim_setup", "ground_forces_unmasked.mot"), "ground_forces.mot")
    paths = [os.path.join(folder, name) for name in names]
    paths = [path for path in paths if os.path.isfile(path)]
    if not paths:
        print("No ground forces in this folder.")
        return
    try:
        import org.opensim.view.motions as motions

        motions.MotionsDB.getInstance().loadMotionFile(paths[0], False)
    except Exception:
        print("Ground forces: right-click the motion, Associate Motion Data, %s" % paths[0])


def open_results(folder):
    """Show one results folder."""
    missing = missing_files(folder)
    if missing:
        print("Expected a kneestride results folder with %s." % " and ".join(NEEDED))
        print("Found %s without %s." % (folder, " and ".join(missing)))
        print("Choose the folder that kneestride analyse wrote.")
        return
    loadModel(os.path.join(folder, "model.osim"))
    loadMotion(os.path.join(folder, "ik.mot"))
    show_ground_forces(folder)
    if os.path.isfile(os.path.join(folder, "knee_loads.sto")):
        plot_knee_loads(folder)
    else:
        print("No knee loads in this folder: it was analysed without forces.")


chosen = chosen_folder()
if chosen:
    open_results(chosen)
